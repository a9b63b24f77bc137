import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../src/platform/clock.ts";
import { Pace, restMs } from "../../src/transport/snapshot/pace.ts";

describe("a pace", () => {
  it("lets through so many bytes a second, whoever shares it", () => {
    let nowMs = 1000;
    const pace = new Pace(1000, { ...systemClock, nowMs: () => nowMs });
    assert.equal(pace.delayMs(500), 0);
    assert.equal(pace.delayMs(500), 500);
    assert.equal(pace.delayMs(1), 1000);
    nowMs += 1001;
    assert.equal(pace.delayMs(100), 0);
    assert.equal(pace.delayMs(100), 100);
  });

  it("makes up for no more than a moment of rest", () => {
    let nowMs = 0;
    const pace = new Pace(1000, { ...systemClock, nowMs: () => nowMs });
    nowMs = 60_000;
    assert.equal(pace.delayMs(1000), 0);
    assert.equal(pace.delayMs(1000), 950);
  });
});

describe("a rest of whoever sends a snapshot", () => {
  it("is longer the later its timers come, and never long", () => {
    assert.deepEqual([0, 1, 3].map(restMs), [0, 0, 0]);
    assert.deepEqual([4, 10, 50].map(restMs), [16, 40, 200]);
    assert.equal(restMs(60_000), 250);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemClock } from "../../src/platform/clock.ts";
import { Complaints } from "../../src/transport/complaints.ts";
import { recordingLogger } from "./fixture.ts";

function setUp() {
  const time = { nowMs: 0 };
  const { logger, log } = recordingLogger();
  return {
    time,
    log,
    complaints: new Complaints({ clock: { ...systemClock, nowMs: () => time.nowMs }, logger }),
  };
}

describe("complaints about others", () => {
  it("are made once, and again after half a minute with how often they were held back", () => {
    const { time, log, complaints } = setUp();
    for (let count = 0; count < 5; count += 1) complaints.warn("no", { about: "a", reason: "r", peer: "a" });
    complaints.warn("no", { about: "b", reason: "r" });
    complaints.warn("no", { about: "a", reason: "another" });
    assert.deepEqual(
      log.items.map(({ msg, level, reason }) => [msg, level, reason]),
      [
        ["no", 40, "r"],
        ["no", 40, "r"],
        ["no", 40, "another"],
      ],
    );
    time.nowMs = 30_000;
    complaints.warn("no", { about: "a", reason: "r" });
    assert.deepEqual({ repeated: 4, ...log.items[3] }, log.items[3]);
  });

  it("do not fill the memory when every one is different", () => {
    const { log, complaints } = setUp();
    for (let count = 0; count < 1000; count += 1)
      complaints.warn("no", { about: String(count), reason: "r" });
    assert.equal(log.items.length, 1000);
    complaints.warn("no", { about: "999", reason: "r" });
    assert.equal(log.items.length, 1000);
    complaints.warn("no", { about: "0", reason: "r" });
    assert.equal(log.items.length, 1001, "the oldest is forgotten");
  });
});

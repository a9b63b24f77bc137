import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { simulate } from "./load.ts";

describe("a promise that is rejected while nobody waits for it", () => {
  it("fails the run, whenever that was", async () => {
    // This process's test runner hears of them, too.
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    let last = 0;
    await simulate({ seed: 42, onLine: ({ step }) => (last = step) });
    for (const at of [0, last]) {
      let isLeft = false;
      const { violation, seed } = await simulate({
        seed: 42,
        onLine: ({ step }) => {
          if (!isLeft && step >= at) void Promise.reject(new RangeError("left alone"));
          isLeft ||= step >= at;
        },
      });
      assert.deepEqual([seed, violation?.message, isLeft], [42, "left alone", true]);
    }
    assert.equal(process.listenerCount("unhandledRejection"), 0);
    for (const other of others) process.on("unhandledRejection", other);
  });
});

describe("a simulated run", () => {
  it("does the same things at the same times for the same seed", async () => {
    const first = await simulate({ seed: 42 });
    // Another run in between would leave its traces if anything were shared.
    const other = await simulate({ seed: 43 });
    const again = await simulate({ seed: 42 });
    assert.equal(first.violation, undefined);
    assert.equal(again.hash, first.hash);
    assert.equal(again.steps, first.steps);
    assert.notEqual(other.hash, first.hash);
  });

  it("is the same as on the machine on which the README was written", async () => {
    const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
    const [, written] = /`make sim SEED=42` prints trace `([0-9a-f]{16})`/.exec(readme) ?? [];
    assert.equal(
      written,
      (await simulate({ seed: 42 })).hash,
      "after a change of what a run does, write the new one",
    );
  });

  it("is not changed by somebody who looks at it", async () => {
    let lines = 0;
    const watched = await simulate({ seed: 42, onLine: () => (lines += 1) });
    assert.equal(watched.hash, (await simulate({ seed: 42 })).hash);
    assert.ok(lines > 1000);
  });
});

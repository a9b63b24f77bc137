import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../src/api/turns.ts";
import { systemClock } from "../../src/platform/clock.ts";

describe("turns", () => {
  it("let everything else in between two, and come in the order in which they were asked for", async () => {
    const turns = new Turns(systemClock);
    const done: string[] = [];
    const work = async (name: string): Promise<void> => {
      for (let at = 0; at < 2; at += 1) {
        await turns.take();
        done.push(name);
      }
    };
    const others = (async () => {
      for (let at = 0; at < 3; at += 1) {
        await new Promise(setImmediate);
        done.push("other");
      }
    })();
    await Promise.all([work("a"), work("b"), others]);
    assert.deepEqual(done, ["other", "a", "other", "b", "other", "a", "b"]);
  });
});

/** What a seed means does not depend on what else may be drawn: seeds that are kept go on being worth it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawFaults, faultKinds } from "../../src/faults/swarm.ts";
import { drawSwarm, schedule } from "../load.ts";

const seeds = Array.from({ length: 200 }, (_, at) => at + 1);

describe("what a run is like", () => {
  it("is the same without a kind of fault, but for that kind", () => {
    for (const left of faultKinds) {
      const others = faultKinds.filter((kind) => kind !== left);
      for (const seed of seeds) {
        const expected = drawFaults(seed, faultKinds).filter(([kind]) => kind !== left);
        assert.deepEqual(drawFaults(seed, others), expected);
      }
    }
  });

  it("has each kind of fault in about a third of all runs, and each pair in about a ninth", () => {
    const drawn = seeds.map((seed) => new Set(drawFaults(seed, faultKinds).map(([kind]) => kind)));
    for (const a of faultKinds)
      for (const b of faultKinds) {
        const both = drawn.filter((kinds) => kinds.has(a) && kinds.has(b)).length / seeds.length;
        const [least, most] = a === b ? [0.2, 0.5] : [0.03, 0.25];
        assert.ok(least < both && both < most, `${a} and ${b}: ${String(both)}`);
      }
  });
});

describe("which faults come when", () => {
  it("is the same for a kind, whatever other kinds there are", () => {
    const swarm = { ...drawSwarm(1), seconds: 20 };
    const pauses = (faults: typeof swarm.faults) =>
      schedule({ ...swarm, faults }, 7)
        .filter(({ kind }) => kind === "pause")
        .map((fault) => ({ ...fault, number: 0 }));
    const alone = pauses([["pause", 3]]);
    assert.equal(alone.length, 6);
    assert.deepEqual(
      pauses([
        ["kill", 2],
        ["pause", 3],
        ["wipe", 1],
      ]),
      alone,
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SafetyViolation } from "../../src/checkers/truth.ts";
import type { Outcome, RunOptions } from "../../src/simulation.ts";
import { drawSwarm, failureReport, replayCommand, schedule, shrink, simulate } from "../load.ts";

const seed = 7;

/** Fails if two certain faults are there, whatever else is. */
function failing(needed: readonly number[], outcome: Outcome): (options: RunOptions) => Promise<Outcome> {
  return ({ swarm = outcome.swarm, faults = [] }) => {
    const isThere = needed.every((number) => faults.some((fault) => fault.number === number));
    const violation = isThere
      ? new SafetyViolation(`term ${String(faults.length)} has two leaders`)
      : undefined;
    return Promise.resolve({ ...outcome, swarm, faults, violation });
  };
}

describe("shrinking", () => {
  it("keeps what the failure needs, and no more", async () => {
    const calm = await simulate({ seed, faults: [], swarm: { ...drawSwarm(seed), seconds: 1 } });
    const faults = schedule({ ...drawSwarm(seed), faults: [["kill", 9]], seconds: 20 }, seed);
    const needed = [3, 11];
    const run = failing(needed, { ...calm, swarm: { ...calm.swarm, seconds: 20 } });
    const failed = await run({ seed, faults });
    const { outcome, runs } = await shrink(failed, run, 100);
    assert.deepEqual(
      outcome.faults.map(({ number }) => number),
      needed,
    );
    assert.ok(runs <= 100);
    const command = replayCommand(outcome, faults.length);
    assert.match(command, /^make sim SEED=7 KEEP=3,11/);
    const report = failureReport(outcome, faults.length).join("\n");
    for (const part of [/seed 7 failed at step \d+/, /two leaders/, /#3 .*kill/, /replay with/])
      assert.match(report, part);
  });

  it("does not take another failure for the same one", async () => {
    const calm = await simulate({ seed, faults: [], swarm: { ...drawSwarm(seed), seconds: 1 } });
    const [first, second] = schedule({ ...drawSwarm(seed), faults: [["kill", 9]], seconds: 20 }, seed);
    assert.ok(first !== undefined && second !== undefined);
    const run = ({ faults = [] }: RunOptions): Promise<Outcome> => {
      const text = faults.length === 2 ? "an entry was lost" : "a read was stale";
      return Promise.resolve({ ...calm, faults, violation: new SafetyViolation(text) });
    };
    const { outcome } = await shrink(await run({ seed, faults: [first, second] }), run, 100);
    assert.equal(outcome.faults.length, 2);
  });
});

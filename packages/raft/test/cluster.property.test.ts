/**
 * Random schedules on whole clusters: what no script thought of. Every event is followed by every check
 * of invariants.ts and of harness/cluster-checks.ts; afterwards the faults stop, and the cluster must
 * agree, commit and answer. A failure prints the seed, the shortest schedule found, and its story.
 *
 * `DKV_SEED=7 DKV_RUNS=5000 node --test test/cluster.property.test.ts` looks further.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { TraceEvent } from "../src/trace.ts";
import { type Schedule, schedules } from "./harness/schedule.ts";
import { Simulation } from "./harness/simulation.ts";

const seed = Number(process.env["DKV_SEED"] ?? 1);
const numRuns = Number(process.env["DKV_RUNS"] ?? 1500);

/** Runs a schedule to its happy end. A violated invariant is thrown with the last lines of the story. */
function play(schedule: Schedule, hear: (kind: string) => void): void {
  const simulation = new Simulation(schedule, hear);
  try {
    for (const action of schedule.actions) simulation.perform(action);
    simulation.recover();
  } catch (cause) {
    throw new Error([String(cause), ...simulation.story.slice(-60)].join("\n"), { cause });
  }
}

/** Events that schedules must reach often, or they show nothing. */
const rare: readonly TraceEvent["kind"][] = [
  "becameLeader",
  "committed",
  "configurationAppended",
  "entriesConflicted",
  "followerNeedsSnapshot",
  "followerProbed",
  "notVoterAnyMore",
  "prevMissing",
  "quorumLost",
  "readConfirmed",
  "readDropped",
  "snapshotAccepted",
  "snapshotNotNeeded",
  "transferAborted",
  "transferStarted",
  "voteRefused",
];

test("random schedules break no invariant and serve no stale read; without faults all goes on", () => {
  const heard = new Map<string, number>();
  const hear = (kind: string): void => {
    heard.set(kind, (heard.get(kind) ?? 0) + 1);
  };
  fc.assert(
    fc.property(schedules, (schedule) => {
      play(schedule, hear);
    }),
    { seed, numRuns },
  );
  const missing = rare.filter((kind) => (heard.get(kind) ?? 0) < numRuns / 20);
  assert.deepEqual(missing, [], "each happens at least once in twenty runs");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Phases } from "../../src/recovery/phases.ts";
import type { Outcome } from "../../src/workload/open-loop.ts";

const target = { host: "localhost", port: 1, ca: undefined };

function outcome(parts: Pick<Outcome, "intendedMs" | "endedMs"> & Partial<Outcome>): Outcome {
  return { sentMs: parts.intendedMs, target, problem: undefined, ...parts };
}

function twoPhases(): Phases {
  const phases = new Phases();
  phases.begin("normal", 1000);
  phases.begin("joining", 2000);
  return phases;
}

test("a call belongs to the phase in which it was meant to be sent, whenever it is sent or answered", () => {
  const phases = twoPhases();
  phases.record(outcome({ intendedMs: 1999, sentMs: 2500, endedMs: 2600 }));
  phases.record(outcome({ intendedMs: 2000, endedMs: 2001 }));
  assert.equal(phases.measurement("normal").maxMs, 601);
  assert.equal(phases.measurement("joining").maxMs, 1);
});

test("a call from before the first phase is left out", () => {
  const phases = twoPhases();
  phases.record(outcome({ intendedMs: 999, endedMs: 5000 }));
  assert.equal(phases.measurement("normal").calls, 0);
});

test("a failed call is an error and no latency", () => {
  const phases = twoPhases();
  phases.record(outcome({ intendedMs: 1500, endedMs: 9000, problem: "reset" }));
  const { calls, maxMs, errors, errorKinds } = phases.measurement("normal");
  assert.deepEqual(
    { calls, maxMs, errors, errorKinds },
    { calls: 0, maxMs: 0, errors: 1, errorKinds: { reset: 1 } },
  );
});

test("how late calls were sent is told apart from how late they were answered", () => {
  const phases = twoPhases();
  phases.record(outcome({ intendedMs: 1500, sentMs: 1504, endedMs: 1540 }));
  const { sendLagP99Ms, maxMs } = phases.measurement("normal");
  assert.deepEqual([sendLagP99Ms, maxMs], [4, 40]);
});

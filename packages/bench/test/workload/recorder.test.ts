import assert from "node:assert/strict";
import { test } from "node:test";
import { Recorder } from "../../src/workload/recorder.ts";

test("a call counts towards the rate only if it ends in the measured time", () => {
  const recorder = new Recorder({ fromMs: 1000, untilMs: 3000 });
  recorder.succeeded(900, 999);
  recorder.succeeded(990, 1000);
  recorder.succeeded(2000, 2999);
  recorder.succeeded(2000, 3000);
  const { calls, callsPerSecond } = recorder.measurement();
  assert.deepEqual([calls, callsPerSecond], [2, 1]);
});

test("a call that ends late counts towards the latencies: a stall at the end is not hidden", () => {
  const recorder = new Recorder({ fromMs: 0, untilMs: 1000 });
  recorder.succeeded(900, 6000);
  assert.equal(recorder.measurement().maxMs, 5100);
});

test("errors count by kind, also in the warm-up, and unbounded kinds take bounded memory", () => {
  const recorder = new Recorder({ fromMs: 1000, untilMs: 2000 });
  recorder.failed("reset");
  recorder.failed("reset");
  for (let kind = 0; kind < 100; kind += 1) recorder.failed(`kind ${kind}`);
  const { errors, errorKinds } = recorder.measurement();
  assert.equal(errors, 102);
  assert.equal(errorKinds["reset"], 2);
  assert.equal(errorKinds["other errors"], 89);
});

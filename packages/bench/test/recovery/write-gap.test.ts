import assert from "node:assert/strict";
import { test } from "node:test";
import { GapWatch } from "../../src/recovery/write-gap.ts";
import type { Outcome } from "../../src/workload/open-loop.ts";

const [one, other] = [2, 3].map((port) => ({ host: "localhost", port, ca: undefined }));
const targets = [one, other].filter((target) => target !== undefined);

function write(at: number, sentMs: number, endedMs: number, problem?: string): Outcome {
  const target = targets[at];
  assert.ok(target !== undefined);
  return { intendedMs: sentMs, sentMs, endedMs, target, problem };
}

test("a gap ends with the first write that was sent after the kill, not with one that was on its way", async () => {
  const watch = new GapWatch(targets, 1000);
  watch.record(write(0, 990, 1010));
  watch.record(write(0, 1200, 2500));
  watch.record(write(1, 1205, 2600));
  assert.deepEqual(await watch.closed, { firstMs: 1500, everyMemberMs: 1600, longestSilenceMs: 1490 });
});

test("a member that takes writes at once does not end the gap of another", async () => {
  const watch = new GapWatch(targets, 1000);
  watch.record(write(1, 1100, 1300));
  watch.record(write(1, 1400, 1450));
  let isClosed = false;
  const closed = watch.closed.then((gap) => {
    isClosed = true;
    return gap;
  });
  await Promise.resolve();
  assert.equal(isClosed, false);
  watch.record(write(0, 1001, 4000));
  const { firstMs, everyMemberMs } = await closed;
  assert.deepEqual([firstMs, everyMemberMs], [300, 3000]);
});

test("a refused write ends nothing", async () => {
  const watch = new GapWatch(targets.slice(0, 1), 1000);
  watch.record(write(0, 1100, 1101, "gRPC status 14: no leader"));
  watch.record(write(0, 1300, 1310));
  assert.equal((await watch.closed).firstMs, 310);
});

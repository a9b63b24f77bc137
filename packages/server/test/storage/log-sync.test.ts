/** What is on the disk before anybody is promised anything: the real calls, watched as they are made. */
import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../src/platform/clock.ts";
import { createLog } from "../../src/storage/log/create-log.ts";
import { DiskSync } from "../../src/storage/log/disk-sync.ts";
import { recoverLog } from "../../src/storage/log/recover-log.ts";
import { SegmentedLog } from "../../src/storage/log/segmented-log.ts";
import { batch, entry, hardState, identity, logStart, temporaryDirectory } from "./fixtures.ts";

type Call = "write" | "sync file" | "rename" | "sync directory";

/** Notes the calls that the log makes from now on, in their order; `fail` has the next of a kind fail. */
function watched(context: TestContext): { calls: Call[]; fail: (call: Call) => void } {
  const calls: Call[] = [];
  let failing: Call | undefined;
  const note =
    <Args extends readonly unknown[], Result>(call: Call, real: (...args: Args) => Result) =>
    (...args: Args): Result => {
      calls.push(call);
      if (failing === call) {
        failing = undefined;
        throw new Error("EIO: i/o error");
      }
      return real(...args);
    };
  context.mock.method(fs, "writeSync", note("write", fs.writeSync));
  context.mock.method(fs, "fdatasyncSync", note("sync file", fs.fdatasyncSync));
  context.mock.method(fs, "renameSync", note("rename", fs.renameSync));
  context.mock.method(fs, "fsyncSync", note("sync directory", fs.fsyncSync));
  syncBuiltinESMExports();
  context.after(() => {
    context.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return { calls, fail: (call) => (failing = call) };
}

/** Every sync takes no time: whatever the machine does, a small record is synced in place. */
const clock = { ...systemClock, nowMs: () => 0 };

async function opened(
  context: TestContext,
): Promise<{ log: SegmentedLog; open: () => Promise<SegmentedLog> }> {
  const directory = join(await temporaryDirectory(context), "log");
  const options = { directory, identity, segmentBytes: 8 * 1024, recentBytes: 0 };
  await createLog(options);
  const open = async (): Promise<SegmentedLog> => {
    const recovered = await recoverLog({ ...options, base: logStart, durableRecord: 0, clock });
    return new SegmentedLog(options, recovered.settle(), { ...recovered.contents, clock });
  };
  return { log: await open(), open };
}

const append = (log: SegmentedLog, index: number, bytes = 10): Promise<void> =>
  log.append(batch({ hardState: hardState(1), entries: [entry(index, 1, Buffer.alloc(bytes, "x"))] }), 1);

test("a record is synced after it was written and before it is promised", async (context) => {
  const { log } = await opened(context);
  const { calls } = watched(context);
  await append(log, 1);
  assert.deepEqual(calls, ["write", "sync file"]);
  await log.append(batch({ hardState: hardState(2, 0, 7n) }), 1);
  assert.deepEqual(calls.slice(2), ["write", "sync file"]);
  await log.close();
});

test("a segment has its header and its name on disk before it takes a record", async (context) => {
  const { log } = await opened(context);
  await append(log, 1, 7000);
  const { calls } = watched(context);
  await append(log, 2, 7000);
  const header: readonly Call[] = ["write", "sync file", "rename", "sync directory"];
  assert.deepEqual(calls, [...header, "write", "sync file"]);
  await log.close();
});

test("what a start finds is written again and synced, names too, before anybody goes by it", async (context) => {
  const { log, open } = await opened(context);
  await append(log, 1);
  await log.close();
  const { calls } = watched(context);
  const again = await open();
  assert.deepEqual(calls, ["write", "write", "sync file", "sync directory"]);
  assert.equal(again.lastIndex, 1);
  await again.close();
});

test("a failed sync is a failed append, and shows nothing of it", async (context) => {
  const { log } = await opened(context);
  await append(log, 1);
  const { fail } = watched(context);
  fail("sync file");
  await assert.rejects(append(log, 2), /EIO/);
  assert.equal(log.lastIndex, 1);
  await log.close();
});

test("a sync that is not made fails, in place and elsewhere", async (context) => {
  const descriptor = fs.openSync(join(await temporaryDirectory(context), "file"), "w");
  fs.closeSync(descriptor);
  for (const bytes of [300, 2 ** 20])
    await assert.rejects(new DiskSync(systemClock).sync(descriptor, bytes), { code: "EBADF" });
});

/** Counts where syncs happen, with a disk that takes as long as it is told. */
async function syncsOf(
  context: TestContext,
  rounds: readonly { readonly tookMs: number; readonly bytes: number; readonly times: number }[],
): Promise<readonly { readonly inPlace: number; readonly elsewhere: number }[]> {
  const descriptor = fs.openSync(join(await temporaryDirectory(context), "file"), "w");
  let nowMs = 0;
  const disk = new DiskSync({ nowMs: () => nowMs });
  let tookMs = 0;
  let inPlace = 0;
  const real = fs.fdatasyncSync;
  context.mock.method(fs, "fdatasyncSync", (file: number) => {
    inPlace += 1;
    nowMs += tookMs;
    real(file);
  });
  syncBuiltinESMExports();
  const counts: { inPlace: number; elsewhere: number }[] = [];
  for (const round of rounds) {
    ({ tookMs } = round);
    inPlace = 0;
    for (let time = 0; time < round.times; time += 1) await disk.sync(descriptor, round.bytes);
    counts.push({ inPlace, elsewhere: round.times - inPlace });
  }
  context.mock.restoreAll();
  syncBuiltinESMExports();
  fs.closeSync(descriptor);
  return counts;
}

test("a fast disk is synced in place, a slow one elsewhere, until it is fast again", async (context) => {
  const [fast, once, slow, again] = await syncsOf(context, [
    { tookMs: 0.2, bytes: 300, times: 100 },
    { tookMs: 10, bytes: 300, times: 1 },
    { tookMs: 10, bytes: 300, times: 400 },
    { tookMs: 0.2, bytes: 300, times: 1000 },
  ]);
  assert.deepEqual(fast, { inPlace: 100, elsewhere: 0 });
  assert.deepEqual(once, { inPlace: 1, elsewhere: 0 });
  assert.ok((slow?.inPlace ?? 400) < 10, "some to learn that it is slow, then one now and then");
  assert.ok((again?.inPlace ?? 0) > 600);
});

test("a large record is synced elsewhere on any disk", async (context) => {
  const [large] = await syncsOf(context, [{ tookMs: 0.2, bytes: 2 ** 20, times: 3 }]);
  assert.deepEqual(large, { inPlace: 0, elsewhere: 3 });
});

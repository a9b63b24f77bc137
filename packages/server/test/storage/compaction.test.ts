/** Entries that the state has are dropped from the log. For what may go wrong see compaction-damage.test.ts. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { logIndex } from "@dkv/raft";
import { Batch } from "../../src/storage/state/leveldb.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { appendUpTo, apply, checkEntries, far, segmentsOf, valueFor } from "./compacting.ts";
import {
  batch,
  configuration,
  configurationEntry,
  entry,
  hardState,
  initial,
  open,
  segmentBytes,
  stateKey,
  temporaryDirectory,
  text,
  withStorage,
} from "./fixtures.ts";

test("what is applied is dropped, as far as asked, segment by segment; the rest is served", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const firstIndices: number[] = [];
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 400);
    await apply(storage, 300);
    const before = storage.logBytes;
    for (const upTo of [10, 150, 150, 1000]) {
      await storage.compact(logIndex(upTo));
      firstIndices.push(storage.log.firstIndex);
      assert.ok(storage.log.firstIndex - 1 <= Math.min(upTo, 300));
      checkEntries(storage, 400);
      const { firstIndex } = storage.log;
      assert.equal(storage.log.termAt(logIndex(firstIndex - 1)), firstIndex === 1 ? 0 : 1);
      if (firstIndex > 1) assert.equal(storage.log.termAt(logIndex(firstIndex - 2)), undefined);
      assert.equal(storage.logBytes, segmentsOf(dataDir).length * segmentBytes);
    }
    assert.ok(storage.logBytes < before);
  });
  const [none, some, same, most] = firstIndices;
  assert.deepEqual([none, same], [1, some]);
  assert.ok((some ?? 0) > 60 && (most ?? 0) > 200);
  await withStorage(dataDir, async (storage) => {
    assert.equal(storage.log.firstIndex, most);
    assert.equal(storage.log.termAt(logIndex(storage.log.firstIndex - 1)), 1);
    assert.deepEqual(storage.hardState, hardState(1, 300, 7n));
    checkEntries(storage, 400);
    await appendUpTo(storage, 420);
    checkEntries(storage, 420);
  });
});

test("what is applied and not yet saved stays", async (context) => {
  await withStorage(await temporaryDirectory(context), async (storage) => {
    await appendUpTo(storage, 300);
    await storage.compact(logIndex(300));
    assert.equal(storage.log.firstIndex, 1);
  });
});

test("a log that is compacted as it grows stays small, and compacting waits for nobody", async (context) => {
  const dataDir = await temporaryDirectory(context);
  let largest = 0;
  await withStorage(dataDir, async (storage) => {
    let waitedFor: Promise<void>[] = [];
    for (let last = 100; last <= 200_000; last += 100) {
      const entries = Array.from({ length: 100 }, (_, position) => entry(last - 99 + position, 1, "small"));
      await storage.append(batch({ hardState: hardState(1), entries }));
      if (last % 1000 !== 0) continue;
      await Promise.all(waitedFor);
      waitedFor = [apply(storage, last), storage.compact(logIndex(last - 500))];
      assert.equal(storage.log.entries(storage.log.firstIndex, logIndex(last + 1), 1).length, 1);
      largest = Math.max(largest, storage.logBytes);
    }
    await Promise.all(waitedFor);
    assert.ok(storage.log.firstIndex > 195_000);
  });
  assert.ok(largest <= 4 * segmentBytes, String(largest));
  assert.ok(segmentsOf(dataDir).length <= 4);
  await withStorage(dataDir, (storage) => {
    assert.equal(storage.log.lastIndex, 200_000);
    assert.ok(storage.log.firstIndex > 195_000);
  });
});

test("a save and a compaction wait for each other, in either order", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 300);
    await apply(storage, 150);
    const running = watchedBatches(context);
    await Promise.all([storage.compact(far), apply(storage, 200)]);
    await Promise.all([apply(storage, 250), storage.compact(far)]);
    assert.deepEqual(running, { now: 0, most: 1, count: 4 });
  });
  await withStorage(dataDir, (storage) => {
    checkEntries(storage, 300);
    assert.ok(storage.log.firstIndex > 100);
    assert.equal(text(storage.state.get(stateKey("applied"))), "250");
  });
});

/** How many batches are being written, and how many were at most. */
function watchedBatches(context: TestContext): { now: number; most: number; count: number } {
  const running = { now: 0, most: 0, count: 0 };
  const real = Batch.prototype.commit;
  context.mock.method(Batch.prototype, "commit", async function commit(this: Batch) {
    running.now += 1;
    running.count += 1;
    running.most = Math.max(running.most, running.now);
    await real.call(this);
    running.now -= 1;
  });
  return running;
}

test("the log begins later before the first file goes, and on disk before that", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const stages: string[] = [];
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 300);
    await apply(storage, 300);
    const real = Batch.prototype.commit;
    const before = segmentsOf(dataDir).length;
    context.mock.method(Batch.prototype, "commit", async function commit(this: Batch) {
      stages.push(`begins at ${String(storage.log.firstIndex)} of ${String(segmentsOf(dataDir).length)}`);
      await real.call(this);
    });
    const compacted = storage.compact(far);
    // While the base is being written everything is still there, and may be read.
    checkEntries(storage, 300);
    await compacted;
    assert.deepEqual(stages, [`begins at 1 of ${String(before)}`]);
    assert.ok(segmentsOf(dataDir).length < before);
    context.mock.restoreAll();
  });
});

test("entries that a new leader replaced over several segments leave no gap", async (context) => {
  const dataDir = await temporaryDirectory(context);
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 400);
    // From 100 on all are replaced: the segments between hold nothing any more that counts.
    const entries = Array.from({ length: 31 }, (_, at) => entry(100 + at, 2, valueFor(100 + at, 2)));
    await storage.append(batch({ hardState: hardState(2, 0, 7n), entries }));
    await apply(storage, 125, 2);
    await storage.compact(far);
    assert.ok(storage.log.firstIndex <= 100, "only there the log is without a gap");
  });
  let firstIndex = 0;
  await withStorage(dataDir, async (storage) => {
    await storage.compact(far);
    assert.ok(storage.log.firstIndex <= 100);
    await appendUpTo(storage, 300, 2);
    await apply(storage, 250, 2);
    await storage.compact(far);
    ({ firstIndex } = storage.log);
    assert.ok(firstIndex > 130);
    checkEntries(storage, 300, 2);
  });
  await withStorage(dataDir, (storage) => {
    assert.equal(storage.log.firstIndex, firstIndex);
    checkEntries(storage, 300, 2);
  });
});

test("the configuration in force where the log begins is kept, however old its entry", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const at = (index: number, voters: number): object => ({ index, configuration: configuration(voters) });
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 9);
    await storage.append(batch({ entries: [configurationEntry(10, 1, configuration(3))] }));
    await appendUpTo(storage, 319);
    await storage.append(batch({ entries: [configurationEntry(320, 1, configuration(4))] }));
    assert.deepEqual(storage.configurations, [initial, at(10, 3), at(320, 4)]);
    await apply(storage, 250);
    await storage.compact(far);
    assert.ok(storage.log.firstIndex > 10);
    assert.deepEqual(storage.configurations, [at(10, 3), at(320, 4)]);
  });
  await withStorage(dataDir, async (storage) => {
    assert.deepEqual(storage.configurations, [at(10, 3), at(320, 4)]);
    await storage.append(batch({ hardState: hardState(2), entries: [entry(320, 2)] }));
    assert.deepEqual(storage.configurations, [at(10, 3)]);
  });
  await withStorage(dataDir, ({ configurations }) => {
    assert.deepEqual(configurations, [at(10, 3)]);
  });
});

test("nothing is compacted after closing, and closing waits for it", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const { storage } = await open(dataDir);
  await appendUpTo(storage, 300);
  await apply(storage, 300);
  const running = storage.compact(far);
  await storage.close();
  await running;
  await assert.rejects(storage.compact(far), /closed/);
  await withStorage(dataDir, (again) => {
    assert.ok(again.log.firstIndex > 200);
  });
});

test("a configuration keeps nothing alive but itself", async (context) => {
  const dataDir = await temporaryDirectory(context);
  const frame = Buffer.alloc(2 ** 20);
  const { data } = configurationEntry(1, 1, configuration(3));
  frame.set(data);
  const made = { ...configurationEntry(1, 1, configuration(3)), data: frame.subarray(0, data.length) };
  const check = ({ configurations }: Storage): void => {
    for (const each of configurations) assert.ok(each.configuration.context.buffer.byteLength < 1000);
  };
  await withStorage(dataDir, async (storage) => {
    await storage.append(batch({ hardState: hardState(1), entries: [made] }));
    check(storage);
  });
  await withStorage(dataDir, check);
});

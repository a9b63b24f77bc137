/** A log that does not begin with the first entry: crashes while it is cut, and what must be there afterwards. */
import assert from "node:assert/strict";
import { readFile, rm, writeFile, cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { logIndex, term } from "@dkv/raft";
import { systemClock } from "../../src/platform/clock.ts";
import { seal } from "../../src/storage/checksum.ts";
import { metaKeys } from "../../src/storage/state/keyspace.ts";
import { Database } from "../../src/storage/state/leveldb.ts";
import { SavedState } from "../../src/storage/state/saved-state.ts";
import { appendUpTo, apply, checkEntries, compacted, far, segmentsOf } from "./compacting.ts";
import {
  batch,
  databaseIn,
  entry,
  hardState,
  logIn,
  logStart,
  open,
  segmentBytes,
  temporaryDirectory,
  withStorage,
} from "./fixtures.ts";

test("a crash before the files are deleted is tidied up after", async (context) => {
  const { dataDir, halfway, base } = await compacted(context);
  assert.ok(segmentsOf(halfway).length > segmentsOf(dataDir).length);
  await withStorage(halfway, (storage) => {
    assert.equal(storage.log.firstIndex, base + 1);
    checkEntries(storage, 300);
    assert.deepEqual(segmentsOf(halfway), segmentsOf(dataDir));
    assert.equal(storage.logBytes, segmentsOf(dataDir).length * segmentBytes);
  });
});

test("nothing is tidied up while the rest is not whole", async (context) => {
  const { halfway } = await compacted(context);
  const last = join(logIn(halfway), segmentsOf(halfway).at(-1) ?? "");
  const content = await readFile(last);
  content[600] = (content[600] ?? 0) ^ 1;
  await writeFile(last, content);
  const before = segmentsOf(halfway);
  await assert.rejects(open(halfway), /is not what was written/);
  assert.deepEqual(segmentsOf(halfway), before);
});

test("the first segment that is kept may not be missing", async (context) => {
  const { dataDir } = await compacted(context);
  const [first = ""] = segmentsOf(dataDir);
  assert.notEqual(first, "0000000001.log");
  await rm(join(logIn(dataDir), first));
  const number = String(Number.parseInt(first, 10));
  await assert.rejects(open(dataDir), new RegExp(`segment ${number} of the log is missing`));
  for (const name of segmentsOf(dataDir)) await rm(join(logIn(dataDir), name));
  await assert.rejects(open(dataDir), /the log is missing/);
});

test("a log with the same entries in other records is refused where it begins", async (context) => {
  const { dataDir } = await compacted(context);
  const changed = await temporaryDirectory(context);
  await withStorage(changed, async (storage) => {
    await storage.append(batch({ hardState: hardState(1, 0, 9n) }));
    await appendUpTo(storage, 300);
  });
  await rm(logIn(dataDir), { recursive: true });
  await cp(logIn(changed), logIn(dataDir), { recursive: true });
  await assert.rejects(open(dataDir), /segment \d+ of the log does not continue the one before/);
});

test("a damaged or missing record of where the log begins is refused", async (context) => {
  for (const [what, damage] of [
    [
      /the checksum of the record of where the log begins is wrong/,
      (value: Buffer) => Buffer.from(value.fill(1, 20, 21)),
    ],
    [/the record of where the log begins has 4 bytes/, () => seal(metaKeys.base, Buffer.alloc(4))],
    [
      /the record of where the log begins has no configuration/,
      (value: Buffer) => seal(metaKeys.base, value.subarray(0, 44)),
    ],
    [/the record of where the log begins is missing/, () => undefined],
  ] as const) {
    const { dataDir } = await compacted(context);
    const database = await Database.open(databaseIn(dataDir), "existing");
    const value = damage(database.get(metaKeys.base) ?? assert.fail("there is one"));
    const wrong = database.batch();
    if (value === undefined) wrong.delete(metaKeys.base);
    else wrong.put(metaKeys.base, value);
    await wrong.commit();
    await database.close();
    await assert.rejects(open(dataDir), what);
  }
});

test("nothing that was dropped, or is about to be, can be replaced", async (context) => {
  const { dataDir, base } = await compacted(context);
  const wrong = batch({ hardState: hardState(2), entries: [entry(base, 2)] });
  await withStorage(dataDir, async (storage) => {
    await assert.rejects(storage.append(wrong), /assertion failed/);
    checkEntries(storage, 300);
  });
  await withStorage(dataDir, async (storage) => {
    await appendUpTo(storage, 500);
    await apply(storage, 400);
    const running = storage.compact(far);
    await assert.rejects(
      storage.append(batch({ hardState: hardState(2), entries: [entry(base + 1, 2)] })),
      /what was applied is not replaced/,
    );
    await running.catch(() => undefined);
  });
});

test("without the file that names the generation, a log that begins later is no first start", async (context) => {
  const { dataDir } = await compacted(context);
  const [first = "", ...others] = segmentsOf(dataDir);
  // One segment that says nothing, and is not the first.
  for (const name of others) await rm(join(logIn(dataDir), name));
  const content = await readFile(join(logIn(dataDir), first));
  await writeFile(join(logIn(dataDir), first), content.fill(0, 512));
  await rm(databaseIn(dataDir), { recursive: true });
  await rm(join(dataDir, "generation"));
  await assert.rejects(open(dataDir), /the file generation is missing/);
});

test("the log is never said to begin behind what is applied", async (context) => {
  const database = await Database.open(join(await temporaryDirectory(context), "db"), "create");
  const marker = { batch: 1, oldestKept: 1, appliedIndex: logIndex(5), durableRecord: 9 };
  const saved = new SavedState(database, marker, systemClock);
  const base = { ...logStart, last: { index: logIndex(6), term: term(1) } };
  await assert.rejects(
    saved.saveBase(base, { lastIndex: logIndex(9), lastRecord: 9 }),
    /only what was applied is dropped/,
  );
  await database.close();
});

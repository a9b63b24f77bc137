/**
 * What may lie at the end of the log after a crash, and what must not. Whatever is done to the files, a
 * member either refuses to start or has everything that it ever acknowledged.
 */
import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { logIndex } from "@dkv/raft";
import { systemClock } from "../../src/platform/clock.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { createLog } from "../../src/storage/log/create-log.ts";
import { recoverLog } from "../../src/storage/log/recover-log.ts";
import { SegmentedLog, type SegmentedLogOptions } from "../../src/storage/log/segmented-log.ts";
import { batch, entry, hardState, identity, temporaryDirectory } from "./fixtures.ts";

const sector = 512;
const segmentBytes = 16 * 1024;
const firstSegment = "0000000001.log";

const optionsIn = (directory: string): SegmentedLogOptions => ({
  directory,
  identity,
  segmentBytes,
  recentBytes: 0,
});

function open(directory: string, durableRecord = 0): SegmentedLog {
  const options = optionsIn(directory);
  const { end, regions } = recoverLog({ ...options, durableRecord });
  return new SegmentedLog(options, end, { clock: systemClock, regions });
}

/** Records 1 to `count`, each with an entry of so many bytes, none of them zero. */
async function written(
  context: TestContext,
  { count, entryBytes }: { count: number; entryBytes: number },
): Promise<string> {
  const directory = join(await temporaryDirectory(context), "log");
  await createLog(optionsIn(directory));
  const log = open(directory);
  await appendTo(log, { from: 1, to: count, entryBytes });
  await log.close();
  return directory;
}

async function appendTo(
  log: SegmentedLog,
  { from, to, entryBytes }: { from: number; to: number; entryBytes: number },
): Promise<void> {
  for (let index = from; index <= to; index += 1) {
    const entries = [entry(index, 1, Buffer.alloc(entryBytes, "x"))];
    await log.append(batch({ hardState: hardState(1, 0, 0xa1n), entries }), 1);
  }
}

async function lastIndexOf(directory: string, durableRecord = 0): Promise<number> {
  const log = open(directory, durableRecord);
  await log.close();
  return log.lastIndex;
}

/** Where the first segment's records end: the zeroes begin there. */
function endOf(content: Buffer): number {
  let end = content.length;
  while (content[end - 1] === 0) end -= 1;
  return Math.ceil(end / 8) * 8;
}

/** The same log with one record more, and where that lies. */
async function withNext(
  directory: string,
  entryBytes: number,
): Promise<{ before: Buffer; after: Buffer; from: number; to: number }> {
  const path = join(directory, firstSegment);
  const before = readFileSync(path);
  const log = open(directory);
  await appendTo(log, { from: log.lastIndex + 1, to: log.lastIndex + 1, entryBytes });
  await log.close();
  const after = readFileSync(path);
  return { before, after, from: endOf(before), to: endOf(after) };
}

test("a write torn between any two sectors leaves everything before it, and the log goes on", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const path = join(directory, firstSegment);
  const { before, after, from, to } = await withNext(directory, 2000);
  const firstSector = from - (from % sector);
  let torn = 0;
  for (let mask = 0; mask < 2 ** Math.ceil((to - firstSector) / sector) - 1; mask += 1) {
    // Of the sectors that the record touches, those in the mask have reached the disk.
    const content = Buffer.from(before);
    for (let at = 0; firstSector + at * sector < to; at += 1) {
      const start = firstSector + at * sector;
      if (((mask >> at) & 1) === 1) after.copy(content, start, start, start + sector);
    }
    writeFileSync(path, content);
    const log = open(directory);
    assert.equal(log.lastIndex, 3, `mask ${mask.toString(2)}`);
    await appendTo(log, { from: 4, to: 5, entryBytes: 700 });
    await log.close();
    assert.equal(await lastIndexOf(directory), 5);
    torn += 1;
  }
  assert.ok(torn >= 2 ** 4 - 1);
  writeFileSync(path, after);
  assert.equal(await lastIndexOf(directory), 4);
});

test("a flipped byte anywhere in the records is refused", async (context) => {
  const directory = await written(context, { count: 6, entryBytes: 700 });
  const path = join(directory, firstSegment);
  const content = readFileSync(path);
  const end = endOf(content);
  for (let position = 0; position < end; position += 13) {
    const damaged = Buffer.from(content);
    damaged[position] = (damaged[position] ?? 0) ^ 0x10;
    // The zeroes that fill a record up say nothing, and are the one thing that is not checked.
    writeFileSync(path, damaged);
    if (isPadding(content, position)) assert.equal(await lastIndexOf(directory), 6);
    else assert.throws(() => open(directory), DamageError, `byte ${String(position)}`);
  }
  writeFileSync(path, content);
  assert.equal(await lastIndexOf(directory), 6);
});

function isPadding(content: Buffer, position: number): boolean {
  for (let offset = sector; offset < position; ) {
    const used = offset + 8 + content.readUInt32BE(offset + 4);
    offset = Math.ceil(used / 8) * 8;
    if (position >= used && position < offset) return true;
  }
  return false;
}

test("something beside the end, where a torn write would have a record's first bytes, is refused", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const path = join(directory, firstSegment);
  const content = readFileSync(path);
  const damaged = Buffer.from(content);
  damaged[endOf(content) + 8] = 1;
  writeFileSync(path, damaged);
  assert.throws(() => open(directory), DamageError);
});

test("a record that looks torn but was known to be durable is refused", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const { before } = await withNext(directory, 2000);
  writeFileSync(join(directory, firstSegment), before);
  assert.throws(() => open(directory, 4), /records 4 to 4 of the log were synced and are missing/);
  assert.equal(await lastIndexOf(directory, 3), 3);
});

test("a segment that is missing, cut short, swapped or foreign is refused", async (context) => {
  const directory = await written(context, { count: 60, entryBytes: 1000 });
  const names = (await readdir(directory)).filter((name) => name.endsWith(".log"));
  assert.ok(names.length >= 4, "the log has several segments");
  assert.equal(await lastIndexOf(directory), 60);
  const damages: readonly (readonly [RegExp, (copy: string) => Promise<void> | void])[] = [
    [/segment 1 of the log is missing/, (copy) => rm(join(copy, firstSegment))],
    [/segment 2 of the log is missing/, (copy) => rm(join(copy, "0000000002.log"))],
    [
      /the log is missing/,
      (copy) => Promise.all(names.map((name) => rm(join(copy, name)))).then(() => undefined),
    ],
    [
      /has 16383 bytes, not 16384/,
      (copy) => {
        truncateSync(join(copy, "0000000003.log"), segmentBytes - 1);
      },
    ],
    [/is number 1 by its header/, (copy) => cp(join(copy, firstSegment), join(copy, "0000000002.log"))],
    [
      /the beginning of .* is not what was written/,
      (copy) => {
        truncateSync(join(copy, "0000000002.log"), 0);
      },
    ],
  ];
  for (const [position, [what, damage]] of damages.entries()) {
    const copy = `${directory}-${String(position)}`;
    await cp(directory, copy, { recursive: true });
    await damage(copy);
    assert.throws(() => open(copy), what);
  }
  const other = { ...identity, clusterId: 0xc2n };
  assert.throws(
    () => recoverLog({ ...optionsIn(directory), identity: other, durableRecord: 0 }),
    /belongs to another member or another cluster/,
  );
});

test("a last segment that is missing is refused when the state knew of its records", async (context) => {
  const directory = await written(context, { count: 60, entryBytes: 1000 });
  const names = (await readdir(directory)).filter((name) => name.endsWith(".log"));
  await rm(join(directory, names.toSorted((a, b) => a.localeCompare(b)).at(-1) ?? assert.fail()));
  assert.throws(() => open(directory, 60), /of the log were synced and are missing/);
});

test("what a crash left of the file being prepared is made anew", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  writeFileSync(join(directory, "next"), "half of it");
  const log = open(directory);
  await appendTo(log, { from: 4, to: 60, entryBytes: 1000 });
  assert.equal(log.termAt(logIndex(60)), 1);
  await log.close();
  assert.equal(await lastIndexOf(directory), 60);
});

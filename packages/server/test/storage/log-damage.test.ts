/**
 * What may lie at the end of the log after a crash, and what must not. Whatever is done to the files, a
 * member either refuses to start or has everything that it ever acknowledged.
 */
import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { logIndex } from "@dkv/raft";
import { systemClock } from "../../src/platform/clock.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { createLog } from "../../src/storage/log/create-log.ts";
import { chainStart, checksumOf, encodeRecord, type LogRecord } from "../../src/storage/log/record.ts";
import { recoverLog } from "../../src/storage/log/recover-log.ts";
import type { LogOptions } from "../../src/storage/log/log-end.ts";
import { SegmentedLog } from "../../src/storage/log/segmented-log.ts";
import { batch, entry, hardState, identity, logStart, temporaryDirectory } from "./fixtures.ts";

const sector = 512;
const segmentBytes = 16 * 1024;
const firstSegment = "0000000001.log";

const optionsIn = (directory: string): LogOptions => ({
  directory,
  identity,
  segmentBytes,
  recentBytes: 0,
});

async function open(directory: string, durableRecord = 0): Promise<SegmentedLog> {
  const options = optionsIn(directory);
  const recovered = await recoverLog({ ...options, base: logStart, durableRecord, clock: systemClock });
  return new SegmentedLog(options, recovered.settle(), { ...recovered.contents, clock: systemClock });
}

interface Filling {
  readonly entryBytes: number;
  /** What entries are full of; something other than zero unless said. */
  readonly value?: string;
}

/** Records 1 to `count`, each with an entry of so many bytes. */
async function written(
  context: TestContext,
  { count, ...filling }: Filling & { readonly count: number },
): Promise<string> {
  const directory = join(await temporaryDirectory(context), "log");
  await createLog(optionsIn(directory));
  const log = await open(directory);
  await appendTo(log, { from: 1, to: count, ...filling });
  await log.close();
  return directory;
}

async function appendTo(
  log: SegmentedLog,
  { from, to, entryBytes, value = "x" }: Filling & { readonly from: number; readonly to: number },
): Promise<void> {
  for (let index = from; index <= to; index += 1) {
    const entries = [entry(index, 1, Buffer.alloc(entryBytes, value))];
    await log.append(batch({ hardState: hardState(1, 0, 0xa1n), entries }), 1);
  }
}

async function lastIndexOf(directory: string, durableRecord = 0): Promise<number> {
  const log = await open(directory, durableRecord);
  await log.close();
  return log.lastIndex;
}

/** Where the first segment's records end: the zeroes begin there. */
function endOf(content: Buffer): number {
  let end = content.length;
  while (content[end - 1] === 0) end -= 1;
  return Math.ceil(end / 16) * 16;
}

/** The same log with one record more, and where that lies. */
async function withNext(
  directory: string,
  entryBytes: number,
): Promise<{ before: Buffer; after: Buffer; from: number; to: number }> {
  const path = join(directory, firstSegment);
  const before = readFileSync(path);
  const log = await open(directory);
  await appendTo(log, { from: log.lastIndex + 1, to: log.lastIndex + 1, entryBytes });
  await log.close();
  const after = readFileSync(path);
  return { before, after, from: endOf(before), to: endOf(after) };
}

test("a write torn between any two sectors leaves everything before it, and the log goes on", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const path = join(directory, firstSegment);
  const { before, after, from, to } = await withNext(directory, 2500);
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
    const log = await open(directory);
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

for (const [what, value] of [
  ["", "x"],
  [", also where data is zeroes", "\0"],
] as const) {
  test(`a flipped bit anywhere in the records is refused${what}`, async (context) => {
    const directory = await written(context, { count: 4, entryBytes: 1300, value });
    const path = join(directory, firstSegment);
    const content = readFileSync(path);
    const end = endOf(content);
    const headers = headersIn(content, end);
    const bits = headers.flatMap((header) => Array.from({ length: 16 * 8 }, (_, bit) => header * 8 + bit));
    for (let bit = 3; bit < end * 8; bit += 8 * 41 + 1) bits.push(bit);
    for (const bit of bits) {
      const damaged = Buffer.from(content);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, damaged);
      // The zeroes that fill a record up say nothing, and are the one thing that is not checked.
      if (isPadding(content, bit >> 3)) assert.equal(await lastIndexOf(directory), 4);
      else
        await assert.rejects(
          open(directory),
          DamageError,
          `byte ${String(bit >> 3)}, bit ${String(bit & 7)}`,
        );
    }
    writeFileSync(path, content);
    assert.equal(await lastIndexOf(directory), 4);
  });
}

/** Where the records of the first segment begin. */
function headersIn(content: Buffer, end: number): readonly number[] {
  const found: number[] = [];
  for (let offset = sector; offset < end; ) {
    found.push(offset);
    offset += Math.ceil((16 + content.readUInt32BE(offset)) / 16) * 16;
  }
  return found;
}

function isPadding(content: Buffer, position: number): boolean {
  for (let offset = sector; offset < position; ) {
    const used = offset + 16 + content.readUInt32BE(offset);
    offset = Math.ceil(used / 16) * 16;
    if (position >= used && position < offset) return true;
  }
  return false;
}

test("something beside the end, where a torn write would have a record's first bytes, is refused", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const path = join(directory, firstSegment);
  const content = readFileSync(path);
  const damaged = Buffer.from(content);
  damaged[endOf(content) + 16] = 1;
  writeFileSync(path, damaged);
  await assert.rejects(open(directory), DamageError);
});

test("a record that looks torn but was known to be durable is refused", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const { before } = await withNext(directory, 2000);
  writeFileSync(join(directory, firstSegment), before);
  await assert.rejects(open(directory, 4), /records 4 to 4 of the log were synced and are missing/);
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
    await assert.rejects(open(copy), what);
  }
  const other = { ...identity, clusterId: 0xc2n };
  await assert.rejects(
    recoverLog({
      ...optionsIn(directory),
      base: logStart,
      identity: other,
      durableRecord: 0,
      clock: systemClock,
    }),
    /belongs to another member or another cluster/,
  );
});

test("a segment of a newer format is refused with the way out, and not as damage", async (context) => {
  const directory = await written(context, { count: 60, entryBytes: 1000 });
  const path = join(directory, "0000000002.log");
  const content = readFileSync(path);
  content.writeUInt32BE(7, 8);
  content.writeUInt32BE(crc32(content.subarray(0, 44)), 44);
  // What it has behind what this version knows, and how long it is, is its own affair.
  content[48] = 1;
  writeFileSync(path, Buffer.concat([content, Buffer.alloc(sector)]));
  await assert.rejects(open(directory), (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, /segment 0000000002\.log of the log in .* has format 7/);
    assert.match(error.message, /written by a newer version of dkv; this one knows formats up to 4/);
    assert.match(error.message, /start it with the newer version$/);
    assert.doesNotMatch(error.message, /damage/);
    return true;
  });
});

test("a last segment that is missing is refused when the state knew of its records", async (context) => {
  const directory = await written(context, { count: 60, entryBytes: 1000 });
  const names = (await readdir(directory)).filter((name) => name.endsWith(".log"));
  await rm(join(directory, names.toSorted((a, b) => a.localeCompare(b)).at(-1) ?? assert.fail()));
  await assert.rejects(open(directory, 60), /of the log were synced and are missing/);
});

test("what a crash left of the file being prepared is made anew", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  writeFileSync(join(directory, "next"), "half of it");
  const log = await open(directory);
  await appendTo(log, { from: 4, to: 60, entryBytes: 1000 });
  assert.equal(log.termAt(logIndex(60)), 1);
  await log.close();
  assert.equal(await lastIndexOf(directory), 60);
});

/** The bytes of a log of one segment with these records, each continuing the one before. */
async function crafted(context: TestContext, records: readonly LogRecord[]): Promise<string> {
  const directory = await written(context, { count: 0, entryBytes: 0 });
  const path = join(directory, firstSegment);
  const content = readFileSync(path);
  let place = { offset: sector, chain: chainStart };
  for (const record of records) {
    const bytes = encodeRecord(record, place);
    bytes.copy(content, place.offset);
    place = { offset: place.offset + bytes.length, chain: checksumOf(bytes) };
  }
  writeFileSync(path, content);
  return directory;
}

test("records that contradict each other are refused, though each is as it was written", async (context) => {
  const first = { number: 1, savedBatch: 1, hardState: hardState(2), entries: [entry(1, 2)] };
  const second = { ...first, number: 2, entries: [entry(2, 2)] };
  assert.equal(await lastIndexOf(await crafted(context, [first, second])), 2);
  for (const [what, wrong] of [
    [/record 3 of the log follows record 1/, { ...second, number: 3 }],
    [/an older term than one before/, { ...second, hardState: hardState(1), entries: [] }],
    [/an older term than one before/, { ...second, entries: [entry(2, 3)] }],
    [/does not continue the log/, { ...second, entries: [entry(3, 2)] }],
    [/does not continue the log/, { ...second, entries: [entry(2, 1)] }],
    [/commits entries beyond the end/, { ...second, hardState: hardState(2, 3) }],
    [
      /record 2 of the log has a configuration that is none/,
      { ...second, entries: [{ ...entry(2, 2), kind: "configuration" }] },
    ],
  ] as const) {
    await assert.rejects(open(await crafted(context, [first, wrong])), what);
  }
});

test("something behind a torn record is refused", async (context) => {
  const directory = await written(context, { count: 3, entryBytes: 100 });
  const path = join(directory, firstSegment);
  const { before, after, from, to } = await withNext(directory, 2500);
  const torn = Buffer.from(before);
  after.copy(torn, from, from, from + sector - (from % sector));
  writeFileSync(path, torn);
  const log = await open(directory);
  await log.close();
  torn[to + sector] = 1;
  writeFileSync(path, torn);
  await assert.rejects(open(directory), /is not what was written/);
});

test("a segment of the same number from another log is refused", async (context) => {
  const directory = await written(context, { count: 60, entryBytes: 1000 });
  const other = await written(context, { count: 60, entryBytes: 1001 });
  await cp(join(other, "0000000002.log"), join(directory, "0000000002.log"));
  await assert.rejects(open(directory), /segment 2 of the log does not continue the one before/);
});

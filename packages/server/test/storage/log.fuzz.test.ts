/** The log, record by record and as files, as a start finds it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { damaged, fuzz, readOrRefused } from "@dkv/fuzz";
import { encodeConfiguration, logIndex, nodeId, term, type Entry } from "@dkv/raft";
import fc from "fast-check";
import { systemClock } from "../../src/platform/clock.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { createLog } from "../../src/storage/log/create-log.ts";
import {
  chainStart,
  checksumOf,
  decodeRecord,
  encodeRecord,
  type LogRecord,
} from "../../src/storage/log/record.ts";
import { recoverLog } from "../../src/storage/log/recover-log.ts";
import { segmentHeaderBytes } from "../../src/storage/log/segment-file.ts";
import { configuration, identity, logStart } from "./fixtures.ts";

const directory = mkdtempSync(join(tmpdir(), "dkv-fuzz-"));
process.once("exit", () => {
  rmSync(directory, { recursive: true, force: true });
});
const segmentBytes = 8192;
const log = join(directory, "log");
await createLog({ directory: log, identity, segmentBytes, recentBytes: 0 });
const path = join(log, "0000000001.log");
const empty = readFileSync(path);

const count = fc.oneof(fc.nat(9), fc.maxSafeNat());
const entries = fc
  .tuple(
    fc.nat(2 ** 40),
    fc.array(
      fc.record({
        term: count.map(term),
        kind: fc.constantFrom<Entry["kind"][]>("empty", "command", "configuration"),
        data: fc.uint8Array({ maxLength: 40 }),
      }),
      { maxLength: 4 },
    ),
  )
  .map(([first, list]) => list.map((each, at): Entry => ({ ...each, index: logIndex(first + at) })));
const record = fc
  .record({
    number: count,
    savedBatch: count,
    hardState: fc.record({
      term: count.map(term),
      votedFor: fc.option(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(nodeId), { nil: undefined }),
      commit: count.map(logIndex),
    }),
    entries,
  })
  .map((one) => encodeRecord(one, { offset: 0, chain: 0 }));

/** The lengths as they are, and both checksums made right again. */
function resealed(bytes: Buffer): Buffer {
  if (bytes.length < 16) return bytes;
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(changed.length - 16, 0);
  const check = crc32(changed.subarray(0, 8), 0);
  changed.writeUInt32BE(check, 8);
  changed.writeUInt32BE(crc32(changed.subarray(16), check), 12);
  return changed;
}

/** Where a record's entries begin: behind its header and that of its body. */
const entriesAt = 16 + 53;
const endOf = (bytes: Buffer): number => 16 + bytes.readUInt32BE(0);

fuzz("records of the log", {
  input: fc
    .tuple(damaged(record), fc.boolean())
    .map(([bytes, isSealed]) => (isSealed ? resealed(bytes) : bytes)),
  check(bytes) {
    const decoded = readOrRefused(() => decodeRecord(bytes, 0, 0), DamageError);
    if (decoded === undefined) return;
    assert.ok(decoded.end < bytes.length + 16);
    const again = encodeRecord(decoded.record, { offset: 0, chain: 0 });
    assert.deepEqual(decodeRecord(again, 0, 0)?.record, decoded.record);
    assert.deepEqual(again.subarray(entriesAt, endOf(again)), bytes.subarray(entriesAt, endOf(bytes)));
  },
});

/** How a record of a log departs from what would be right there. */
interface Draft {
  readonly numberBy: number;
  readonly termBy: number;
  readonly commit: number;
  readonly firstBy: number;
  readonly lengths: readonly number[];
  readonly configuration: "none" | "right" | "nonsense";
}

/** Mostly none. */
const slip = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.integer({ min: -3, max: 3 }));
const draft: fc.Arbitrary<Draft> = fc.record({
  numberBy: slip,
  termBy: fc.oneof(fc.nat(1), slip),
  commit: fc.oneof(fc.nat(2), slip.map(Math.abs)),
  firstBy: slip,
  lengths: fc.array(fc.oneof(fc.nat(30), fc.nat(1500)), { maxLength: 3 }),
  configuration: fc.constantFrom("none", "none", "right", "nonsense"),
});

/** A log whose checksums are right, whatever it says. */
function segmentOf(drafts: readonly Draft[]): Buffer {
  const content = Buffer.from(empty);
  let [offset, chain, ofTerm, index] = [segmentHeaderBytes, chainStart, 1, 1];
  for (const [at, one] of drafts.entries()) {
    ofTerm = Math.max(0, ofTerm + one.termBy);
    index = Math.max(0, index + one.firstBy);
    const first = index;
    const body: LogRecord = {
      number: Math.max(0, at + 1 + one.numberBy),
      savedBatch: 0,
      hardState: { term: term(ofTerm), votedFor: undefined, commit: logIndex(one.commit) },
      entries: one.lengths.map((length, position) =>
        entryOf(one, { index: first + position, ofTerm, length }),
      ),
    };
    index += one.lengths.length;
    const bytes = encodeRecord(body, { offset, chain });
    if (offset + bytes.length > segmentBytes) break;
    content.set(bytes, offset);
    offset += bytes.length;
    chain = checksumOf(bytes);
  }
  return content;
}

function entryOf(
  { configuration: of }: Draft,
  { index, ofTerm, length }: { readonly index: number; readonly ofTerm: number; readonly length: number },
): Entry {
  const place = { index: logIndex(index), term: term(ofTerm) };
  if (of === "none") return { ...place, kind: "command", data: Buffer.alloc(length, "x") };
  const data = encodeConfiguration(configuration(1 + (length % 3)));
  return { ...place, kind: "configuration", data: of === "right" ? data : data.subarray(1) };
}

/** What was durable, as the state knows it: all of it must be there, or the start refused. */
const segment = fc
  .array(draft, { maxLength: 6 })
  .map(segmentOf)
  .chain((whole) =>
    fc.record({
      content: fc.oneof(
        fc.constant(whole),
        damaged(fc.constant(whole)),
        damaged(fc.constant(whole)).map((bytes) => Buffer.concat([bytes, empty]).subarray(0, segmentBytes)),
      ),
      durableRecord: fc.nat(4),
    }),
  );

fuzz("files of the log", {
  input: segment,
  runs: 100,
  async check({ content, durableRecord }) {
    writeFileSync(path, content);
    const options = { directory: log, identity, base: logStart, durableRecord, clock: systemClock };
    const recovered = await recoverLog(options).catch((error: unknown) => {
      assert.ok(error instanceof DamageError, String(error));
    });
    if (recovered === undefined) return;
    const end = recovered.settle();
    assert.ok(end.number >= durableRecord);
    const again = await recoverLog(options);
    assert.equal(again.contents.terms.lastIndex, recovered.contents.terms.lastIndex);
    assert.deepEqual(again.hardState, recovered.hardState);
    assert.deepEqual(again.contents.configurations.all(), recovered.contents.configurations.all());
  },
});

/**
 * What one batch leaves in the log: a record with everything that became durable together.
 *
 *   0  bytes of the body, never 0
 *   4  how many sectors of 512 bytes it has that hold nothing but zeroes
 *   8  CRC-32 of these two, continued from the checksum of the record before
 *  12  checksum: CRC-32 of the body, continued from the one at 8
 *  16  body:   0  number of the record, one more than that of the record before
 *              8  number of the newest state batch that was durable by then (state/records.ts)
 *             16  current term          24  commit index
 *             32  1 if a vote was given, else 0
 *             33  voted for
 *             41  count of entries      45  index of the first one
 *             53  entries, each:  0  kind: 1 empty, 2 command, 3 configuration
 *                                 1  term
 *                                 9  bytes of the data
 *                                13  data
 *      zeroes up to a multiple of 16, so that no record's first 16 bytes lie in two sectors of a disk
 *
 * Since each checksum continues the one before, records cannot be left out or swapped.
 */
import { crc32 } from "node:zlib";
import { logIndex, nodeId, term, type Entry, type EntryKind, type HardState } from "@dkv/raft";
import { countBytes, writeCount } from "@dkv/store";
import { readCount } from "../count.ts";
import { DamageError } from "../damage.ts";
import { countZeroSectors } from "./sectors.ts";

/** Everything a record says. */
export interface LogRecord {
  readonly number: number;
  readonly savedBatch: number;
  readonly hardState: HardState;
  /** Contiguous, perhaps empty. They replace everything before from the first one's index on. */
  readonly entries: readonly Entry[];
}

/** Where a record stands: in its file, and after which checksum. */
export interface RecordPlace {
  readonly offset: number;
  readonly chain: number;
}

/** The checksum that the first record of a log continues. */
export const chainStart = 0;

export const recordHeaderBytes = 16;
const alignment = 16;
const countsBytes = 8;
const entryHeaderBytes = 5 + countBytes;

/** Where the parts of a body are, from its beginning. */
const at = {
  number: 0,
  savedBatch: 8,
  term: 16,
  commit: 24,
  hasVoted: 32,
  votedFor: 33,
  count: 41,
  first: 45,
};
const bodyHeaderBytes = 53;

const codes: Readonly<Record<EntryKind, number>> = { empty: 1, command: 2, configuration: 3 };
const kinds: readonly (EntryKind | undefined)[] = [undefined, "empty", "command", "configuration"];

/** The record as it goes to the disk. {@link checksumOf} gives what the next one continues. */
export function encodeRecord(record: LogRecord, { offset: place, chain }: RecordPlace): Buffer {
  const bodyBytes = record.entries.reduce(
    (bytes, { data }) => bytes + entryHeaderBytes + data.length,
    bodyHeaderBytes,
  );
  const bytes = recordHeaderBytes + bodyBytes;
  const buffer = Buffer.allocUnsafe(aligned(bytes));
  writeBodyHeader(buffer.subarray(recordHeaderBytes), record);
  let offset = recordHeaderBytes + bodyHeaderBytes;
  for (const entry of record.entries) offset = writeEntry(buffer, entry, offset);
  buffer.fill(0, offset);
  buffer.writeUInt32BE(bodyBytes, 0);
  buffer.writeUInt32BE(countZeroSectors(buffer, place), 4);
  const check = crc32(buffer.subarray(0, countsBytes), chain);
  buffer.writeUInt32BE(check, 8);
  buffer.writeUInt32BE(crc32(buffer.subarray(recordHeaderBytes, bytes), check), 12);
  return buffer;
}

/** The checksum of the record at the beginning of the buffer. */
export const checksumOf = (record: Buffer): number => record.readUInt32BE(12);

export interface DecodedRecord {
  readonly record: LogRecord;
  /** Where the next record begins. */
  readonly end: number;
  /** What the next record's checksum continues. */
  readonly chain: number;
}

/**
 * The record at `offset`, its entries' data as views into the buffer. Undefined unless one lies there whole,
 * and is the one that followed the record with the checksum `chain`.
 */
export function decodeRecord(buffer: Buffer, offset: number, chain: number): DecodedRecord | undefined {
  const header = decodeHeader(buffer, offset, chain);
  if (header === undefined || offset + header.bytes > buffer.length) return undefined;
  const checksum = checksumOf(buffer.subarray(offset));
  const body = buffer.subarray(offset + recordHeaderBytes, offset + header.bytes);
  if (crc32(body, header.check) !== checksum) return undefined;
  return { record: readBody(body), end: offset + aligned(header.bytes), chain: checksum };
}

export interface RecordHeader {
  /** Header and body. */
  readonly bytes: number;
  readonly zeroSectors: number;
  readonly check: number;
}

/** What the header at `offset` says; undefined unless it is one, and follows the checksum `chain`. */
export function decodeHeader(buffer: Buffer, offset: number, chain: number): RecordHeader | undefined {
  if (offset + recordHeaderBytes > buffer.length) return undefined;
  const bodyBytes = buffer.readUInt32BE(offset);
  const check = buffer.readUInt32BE(offset + 8);
  if (bodyBytes < bodyHeaderBytes) return undefined;
  if (crc32(buffer.subarray(offset, offset + countsBytes), chain) !== check) return undefined;
  return { bytes: recordHeaderBytes + bodyBytes, zeroSectors: buffer.readUInt32BE(offset + 4), check };
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

function writeBodyHeader(body: Buffer, { number, savedBatch, hardState, entries }: LogRecord): void {
  writeCount(body, number, at.number);
  writeCount(body, savedBatch, at.savedBatch);
  writeCount(body, hardState.term, at.term);
  writeCount(body, hardState.commit, at.commit);
  body.writeUInt8(hardState.votedFor === undefined ? 0 : 1, at.hasVoted);
  body.writeBigUInt64BE(hardState.votedFor ?? 0n, at.votedFor);
  body.writeUInt32BE(entries.length, at.count);
  writeCount(body, entries[0]?.index ?? 0, at.first);
}

function writeEntry(buffer: Buffer, entry: Entry, start: number): number {
  let offset = buffer.writeUInt8(codes[entry.kind], start);
  offset = writeCount(buffer, entry.term, offset);
  offset = buffer.writeUInt32BE(entry.data.length, offset);
  buffer.set(entry.data, offset);
  return offset + entry.data.length;
}

function readBody(body: Buffer): LogRecord {
  const number = readCount(body, at.number);
  const entries: Entry[] = [];
  const count = body.readUInt32BE(at.count);
  let index = readCount(body, at.first);
  if (count > Number.MAX_SAFE_INTEGER - index + 1) throw notAsWritten(number);
  let offset = bodyHeaderBytes;
  for (; entries.length < count; index += 1) {
    const entry = readEntry(body, { offset, index });
    if (entry === undefined) throw notAsWritten(number);
    entries.push(entry);
    offset += entryHeaderBytes + entry.data.length;
  }
  if (offset !== body.length) throw notAsWritten(number);
  const hardState = {
    term: term(readCount(body, at.term)),
    votedFor: body[at.hasVoted] === 0 ? undefined : nodeId(body.readBigUInt64BE(at.votedFor)),
    commit: logIndex(readCount(body, at.commit)),
  };
  return { number, savedBatch: readCount(body, at.savedBatch), hardState, entries };
}

const notAsWritten = (number: number): DamageError =>
  new DamageError(`record ${String(number)} of the log is not as it was written`);

function readEntry(body: Buffer, { offset, index }: { offset: number; index: number }): Entry | undefined {
  const kind = kinds[body[offset] ?? 0];
  const dataOffset = offset + entryHeaderBytes;
  if (kind === undefined || dataOffset > body.length) return undefined;
  const end = dataOffset + body.readUInt32BE(dataOffset - 4);
  if (end > body.length) return undefined;
  const data = body.subarray(dataOffset, end);
  return { index: logIndex(index), term: term(readCount(body, offset + 1)), kind, data };
}

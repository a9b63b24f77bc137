/**
 * What one batch leaves in the log: a record with everything that became durable together.
 *
 *   0  CRC-32 of all that follows, continued from the record before: records cannot be left out or swapped
 *   4  bytes of the body, never 0
 *   8  body:   0  number of the record, one more than that of the record before
 *              8  number of the newest state batch that was durable by then (state/records.ts)
 *             16  current term          24  commit index
 *             32  1 if a vote was given, else 0
 *             33  voted for
 *             41  count of entries      45  index of the first one
 *             53  entries, each:  0  kind: 1 empty, 2 command, 3 configuration
 *                                 1  term
 *                                 9  bytes of the data
 *                                13  data
 *      zeroes up to a multiple of 8, so that no record's first 8 bytes lie in two sectors of a disk
 */
import { crc32 } from "node:zlib";
import { logIndex, nodeId, term, type Entry, type EntryKind, type HardState } from "@dkv/raft";
import { countBytes, readCount, writeCount } from "../count.ts";
import { DamageError } from "../damage.ts";

/** Everything a record says. */
export interface LogRecord {
  readonly number: number;
  readonly savedBatch: number;
  readonly hardState: HardState;
  /** Contiguous, perhaps empty. They replace everything before from the first one's index on. */
  readonly entries: readonly Entry[];
}

/** The checksum that the first record of a log continues. */
export const chainStart = 0;

export const recordHeaderBytes = 8;
const alignment = 8;
const bodyHeaderBytes = 53;
const entryHeaderBytes = 5 + countBytes;

const codes: Readonly<Record<EntryKind, number>> = { empty: 1, command: 2, configuration: 3 };
const kinds: readonly (EntryKind | undefined)[] = [undefined, "empty", "command", "configuration"];

/** The record as it goes to the disk. Its first four bytes are the checksum for the next one to continue. */
export function encodeRecord(record: LogRecord, chain: number): Buffer {
  const bodyBytes = record.entries.reduce(
    (bytes, { data }) => bytes + entryHeaderBytes + data.length,
    bodyHeaderBytes,
  );
  const bytes = recordHeaderBytes + bodyBytes;
  const buffer = Buffer.allocUnsafe(aligned(bytes));
  buffer.writeUInt32BE(bodyBytes, 4);
  let offset = writeBodyHeader(buffer, record);
  for (const entry of record.entries) offset = writeEntry(buffer, entry, offset);
  buffer.fill(0, offset);
  buffer.writeUInt32BE(crc32(buffer.subarray(4, bytes), chain), 0);
  return buffer;
}

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
  const bytes = recordBytesAt(buffer, offset);
  if (bytes === undefined) return undefined;
  const checksum = buffer.readUInt32BE(offset);
  if (crc32(buffer.subarray(offset + 4, offset + bytes), chain) !== checksum) return undefined;
  const body = buffer.subarray(offset + recordHeaderBytes, offset + bytes);
  return { record: readBody(body), end: offset + aligned(bytes), chain: checksum };
}

/** Header and body of the record that claims to begin at `offset`; undefined if it does not fit there. */
export function recordBytesAt(buffer: Buffer, offset: number): number | undefined {
  if (offset + recordHeaderBytes > buffer.length) return undefined;
  const bytes = recordHeaderBytes + buffer.readUInt32BE(offset + 4);
  return bytes < recordHeaderBytes + bodyHeaderBytes || offset + bytes > buffer.length ? undefined : bytes;
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

function writeBodyHeader(buffer: Buffer, { number, savedBatch, hardState, entries }: LogRecord): number {
  let offset = writeCount(buffer, number, recordHeaderBytes);
  offset = writeCount(buffer, savedBatch, offset);
  offset = writeCount(buffer, hardState.term, offset);
  offset = writeCount(buffer, hardState.commit, offset);
  offset = buffer.writeUInt8(hardState.votedFor === undefined ? 0 : 1, offset);
  offset = buffer.writeBigUInt64BE(hardState.votedFor ?? 0n, offset);
  offset = buffer.writeUInt32BE(entries.length, offset);
  return writeCount(buffer, entries[0]?.index ?? 0, offset);
}

function writeEntry(buffer: Buffer, entry: Entry, at: number): number {
  let offset = buffer.writeUInt8(codes[entry.kind], at);
  offset = writeCount(buffer, entry.term, offset);
  offset = buffer.writeUInt32BE(entry.data.length, offset);
  buffer.set(entry.data, offset);
  return offset + entry.data.length;
}

function readBody(body: Buffer): LogRecord {
  const number = readCount(body, 0);
  const entries: Entry[] = [];
  const count = body.readUInt32BE(41);
  let index = readCount(body, 45);
  let offset = bodyHeaderBytes;
  for (; entries.length < count; index += 1) {
    const entry = readEntry(body, { offset, index });
    if (entry === undefined)
      throw new DamageError(`record ${String(number)} of the log is not as it was written`);
    entries.push(entry);
    offset += entryHeaderBytes + entry.data.length;
  }
  const hardState = {
    term: term(readCount(body, 16)),
    votedFor: body[32] === 0 ? undefined : nodeId(body.readBigUInt64BE(33)),
    commit: logIndex(readCount(body, 24)),
  };
  return { number, savedBatch: readCount(body, 8), hardState, entries };
}

function readEntry(body: Buffer, { offset, index }: { offset: number; index: number }): Entry | undefined {
  const kind = kinds[body[offset] ?? 0];
  const dataOffset = offset + entryHeaderBytes;
  if (kind === undefined || dataOffset > body.length) return undefined;
  const end = dataOffset + body.readUInt32BE(dataOffset - 4);
  if (end > body.length) return undefined;
  const data = body.subarray(dataOffset, end);
  return { index: logIndex(index), term: term(readCount(body, offset + 1)), kind, data };
}

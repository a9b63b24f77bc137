/**
 * What a snapshot is made of: chunks of records of the state machine, in the order of their keys.
 *
 *   0  number, from 1                            16  records, each:  0  bytes of the key
 *   4  count of records, never 0                                     4  bytes of the value
 *   8  bytes of the records                                          8  key
 *  12  chain                                                         …  value
 *
 *   trailer   0  count of chunks    4  count of records    12  the last chunk's chain
 *
 * All are 32 bits, big-endian, but for the count of all records, which is 64.
 *
 * The chain is a CRC-32: of the header's bytes, then of the records of all chunks up to the end of this one.
 * So chunks cannot be left out, swapped, or mixed with those of another snapshot; and since it depends on the
 * records alone, not on where one chunk ends and the next begins, whoever has stored the records can compute
 * it again from them.
 */
import { crc32 } from "node:zlib";
import { writeCount } from "@dkv/store";
import { readCount } from "./count.ts";
import { DamagedSnapshotError } from "./damage.ts";

/** A record of the state machine. The first byte of a key is 0x10 or above. */
export type StateRecord = readonly [key: Uint8Array, value: Uint8Array];

/** How far one has come in a snapshot, from either side. */
export interface SnapshotProgress {
  readonly chunks: number;
  readonly records: number;
  readonly chain: number;
  /** The key of the last record; empty before the first. */
  readonly lastKey: Uint8Array;
}

/** What must have arrived in the end. */
export interface SnapshotTrailer {
  readonly chunks: number;
  readonly records: number;
  readonly chain: number;
}

/** What is left to say by a generator of chunks that is ended before its end. */
export const noTrailer: SnapshotTrailer = { chunks: 0, records: 0, chain: 0 };

/**
 * A chunk is smaller unless a single record is larger. A request has at most 32 MiB, and a frame between
 * members, in which a chunk must have room, 64.
 */
export const maxChunkBytes = 48 * 2 ** 20;

export const trailerBytes = 16;

const headerBytes = 16;
const recordHeaderBytes = 8;
const firstOfState = 0x10;

/** Bytes that a record takes in a chunk. */
export const recordBytes = ([key, value]: StateRecord): number =>
  recordHeaderBytes + key.length + value.length;

/** The bytes of a chunk's records. Those of all chunks, one after the other, do not show where a chunk ends. */
export const chunkContent = (chunk: Buffer): Buffer => chunk.subarray(headerBytes);

/** Before the first chunk. */
export function snapshotStart(header: Uint8Array): SnapshotProgress {
  return { chunks: 0, records: 0, chain: crc32(header), lastKey: new Uint8Array() };
}

/** The chunk that follows, and how far that is. */
export function encodeChunk(
  records: readonly StateRecord[],
  after: SnapshotProgress,
): { readonly chunk: Buffer; readonly progress: SnapshotProgress } {
  const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0);
  const chunk = Buffer.allocUnsafe(headerBytes + bytes);
  let offset = headerBytes;
  for (const [key, value] of records) {
    offset = chunk.writeUInt32BE(key.length, offset);
    offset = chunk.writeUInt32BE(value.length, offset);
    chunk.set(key, offset);
    chunk.set(value, offset + key.length);
    offset += key.length + value.length;
  }
  const progress = {
    chunks: after.chunks + 1,
    records: after.records + records.length,
    chain: crc32(chunk.subarray(headerBytes), after.chain),
    lastKey: records.at(-1)?.[0] ?? after.lastKey,
  };
  chunk.writeUInt32BE(progress.chunks, 0);
  chunk.writeUInt32BE(records.length, 4);
  chunk.writeUInt32BE(bytes, 8);
  chunk.writeUInt32BE(progress.chain, 12);
  return { chunk, progress };
}

/**
 * What is in the chunk, as views into it, if it is the one that follows. Throws {@link DamagedSnapshotError};
 * `after` then still holds.
 */
export function decodeChunk(
  bytes: Uint8Array,
  after: SnapshotProgress,
): { readonly records: readonly StateRecord[]; readonly progress: SnapshotProgress } {
  const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = after.chunks + 1;
  const content = checkedContent(chunk, number);
  const chain = crc32(content, after.chain);
  if (chain !== chunk.readUInt32BE(12))
    throw new DamagedSnapshotError(
      `the checksum of chunk ${String(number)} of a snapshot is wrong: it was changed, or follows another one`,
    );
  const records = recordsIn(content, chunk.readUInt32BE(4), after.lastKey);
  const last = records.at(-1);
  if (last === undefined) throw new DamagedSnapshotError(`chunk ${String(number)} of a snapshot is empty`);
  const progress = {
    chunks: number,
    records: after.records + records.length,
    chain,
    lastKey: Uint8Array.from(last[0]),
  };
  return { records, progress };
}

function checkedContent(chunk: Buffer, expected: number): Buffer {
  const what = `chunk ${String(expected)} of a snapshot`;
  if (chunk.length > maxChunkBytes) throw new DamagedSnapshotError(`${what} is too large`);
  if (chunk.length < headerBytes) throw new DamagedSnapshotError(`${what} is cut short`);
  const number = chunk.readUInt32BE(0);
  if (number !== expected)
    throw new DamagedSnapshotError(`${what} is missing: chunk ${String(number)} came in its place`);
  const content = chunk.subarray(headerBytes);
  if (chunk.readUInt32BE(8) !== content.length)
    throw new DamagedSnapshotError(`${what} is not as long as it says`);
  return content;
}

function recordsIn(content: Buffer, count: number, lastKey: Uint8Array): readonly StateRecord[] {
  const records: StateRecord[] = [];
  let offset = 0;
  let before = lastKey;
  while (offset < content.length) {
    const record = recordAt(content, offset);
    const [key] = record;
    if ((key[0] ?? 0) < firstOfState)
      throw new DamagedSnapshotError("a snapshot has a record that is not of the state machine");
    if (Buffer.compare(key, before) <= 0)
      throw new DamagedSnapshotError("the records of a snapshot are not in the order of their keys");
    records.push(record);
    before = key;
    offset += recordBytes(record);
  }
  if (records.length !== count)
    throw new DamagedSnapshotError("a chunk of a snapshot has not as many records as it says");
  return records;
}

function recordAt(content: Buffer, offset: number): StateRecord {
  const keyOffset = offset + recordHeaderBytes;
  if (keyOffset > content.length) throw recordCutShort();
  const valueOffset = keyOffset + content.readUInt32BE(offset);
  const end = valueOffset + content.readUInt32BE(offset + 4);
  if (end > content.length) throw recordCutShort();
  return [content.subarray(keyOffset, valueOffset), content.subarray(valueOffset, end)];
}

const recordCutShort = (): DamagedSnapshotError =>
  new DamagedSnapshotError("a record of a snapshot is longer than the chunk it stands in");

/** Throws {@link DamagedSnapshotError} unless `progress` is the end that `trailer` tells of. */
export function checkTrailer(trailer: SnapshotTrailer, progress: SnapshotProgress): void {
  if (trailer.chunks !== progress.chunks || trailer.records !== progress.records) {
    throw new DamagedSnapshotError(
      `a snapshot has ${describe(trailer)} by its trailer, and ${describe(progress)} were there`,
    );
  }
  if (trailer.chain !== progress.chain)
    throw new DamagedSnapshotError("the trailer of a snapshot belongs to another one");
}

const describe = ({ chunks, records }: SnapshotTrailer): string =>
  `${String(chunks)} chunks with ${String(records)} records`;

export function encodeTrailer({ chunks, records, chain }: SnapshotTrailer): Buffer {
  const buffer = Buffer.allocUnsafe(trailerBytes);
  buffer.writeUInt32BE(chunks, 0);
  writeCount(buffer, records, 4);
  buffer.writeUInt32BE(chain, 12);
  return buffer;
}

/** Throws {@link DamagedSnapshotError}. */
export function decodeTrailer(bytes: Uint8Array): SnapshotTrailer {
  if (bytes.length !== trailerBytes)
    throw new DamagedSnapshotError("the trailer of a snapshot has the wrong length");
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return { chunks: buffer.readUInt32BE(0), records: readCount(buffer, 4), chain: buffer.readUInt32BE(12) };
}

/**
 * The store's part of the database: which keys exist and what their records hold, byte by byte.
 *
 *   key            record
 *   10             position: how far the log has been applied, and the revision that this made
 *   11 ‥ 17        reserved for history: 11 revision → change, 12 key and revision → index
 *   18             alarms about members (alarms.ts); absent if there are none
 *   19 ‥ 1f        reserved
 *   20 <key>       the current version of a key; absent if the key does not exist
 *
 * The first byte of a key is never below 10: what is below belongs to the log. For example the key "ab"
 * is stored under 20 61 62. Keys sort as their bytes do, so ranges of keys are ranges of the database.
 *
 *   position   0  format, 01                current   0  format, 01
 *              1  applied index                       1  create revision
 *              9  term of that entry                  9  mod revision
 *             17  revision                           17  version
 *             25  checksum                           25  value
 *                                                     …  checksum, the last 4 bytes
 *
 * Counts are 64 bits, big-endian. The checksum is the CRC-32 of the key and all bytes before it: a record
 * found under another key than it was written for is damaged too. It is zlib's, big-endian; CRC-32C finds
 * no more, and in JavaScript a table for it takes longer than the call (350 ns against 250 for 300 bytes).
 */
import { crc32 } from "node:zlib";
import { type ByteString, toByteString } from "./bytes.ts";
import { countBytes, readCount, writeCount } from "./count.ts";
import type { Revision } from "./results.ts";

const prefixes = { position: 0x10, alarms: 0x18, current: 0x20 } as const;
const format = 1;
const checksumBytes = 4;
const headerBytes = 1 + 3 * countBytes;

/** What is left of a record if its value is empty: the least that a current record takes. */
export const recordOverheadBytes = headerBytes + checksumBytes;

/** The current version of a key. */
export interface Version {
  readonly value: ByteString;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Sets since creation, counting the creating one. */
  readonly version: number;
}

/** How far the log has been applied, and what that made of the revision. */
export interface Position {
  readonly appliedIndex: number;
  /** Term of the entry at `appliedIndex`. */
  readonly appliedTerm: number;
  readonly revision: Revision;
}

/** A stored record that is not what was written. The member must stop: it no longer holds the truth. */
export class DamagedRecordError extends Error {
  override readonly name = "DamagedRecordError";
}

export const positionKey: Uint8Array = Uint8Array.of(prefixes.position);

export const alarmsKey: Uint8Array = Uint8Array.of(prefixes.alarms);

/** Bytes of a key in the database. */
export const currentKeyBytes = (key: ByteString): number => 1 + key.length;

/** Writes the database key of `key` at `offset` and returns the offset behind it. */
export function writeCurrentKey(buffer: Buffer, key: ByteString, offset: number): number {
  buffer[offset] = prefixes.current;
  return offset + 1 + buffer.write(key, offset + 1, "latin1");
}

/** The database key of `key`. */
export function currentKey(key: ByteString): Uint8Array {
  const encoded = Buffer.allocUnsafe(currentKeyBytes(key));
  writeCurrentKey(encoded, key, 0);
  return encoded;
}

/**
 * Writes the record of a version behind its key, which stands from `keyOffset` to `offset`. Returns the
 * offset behind it: {@link recordOverheadBytes} and the value further on.
 */
export function writeVersion(
  buffer: Buffer,
  version: Version,
  at: { keyOffset: number; offset: number },
): number {
  const { keyOffset, offset } = at;
  writeHeader(buffer, [version.createRevision, version.modRevision, version.version], offset);
  const valueOffset = offset + headerBytes;
  const end = valueOffset + buffer.write(version.value, valueOffset, "latin1");
  return writeChecksum(buffer, keyOffset, end);
}

export function readVersion(key: Uint8Array, record: Uint8Array): Version {
  const [createRevision, modRevision, version] = readHeader(key, record);
  const value = toByteString(record.subarray(headerBytes, record.length - checksumBytes));
  return { value, createRevision, modRevision, version };
}

/** Throws {@link DamagedRecordError} unless it is the record of some key's version, as it was written. */
export function checkVersion(key: Uint8Array, record: Uint8Array): void {
  readHeader(key, record);
  if (key[0] !== prefixes.current)
    throw new DamagedRecordError("a stored record of the store is of a kind that this version does not know");
}

export function encodePosition(position: Position): Uint8Array {
  const buffer = Buffer.allocUnsafe(positionKey.length + recordOverheadBytes);
  buffer.set(positionKey);
  writeHeader(buffer, [position.appliedIndex, position.appliedTerm, position.revision], positionKey.length);
  writeChecksum(buffer, 0, positionKey.length + headerBytes);
  return buffer.subarray(positionKey.length);
}

export function decodePosition(record: Uint8Array): Position {
  const [appliedIndex, appliedTerm, revision] = readHeader(positionKey, record);
  if (record.length !== recordOverheadBytes)
    throw new DamagedRecordError("the stored position of the store is longer than one is");
  return { appliedIndex, appliedTerm, revision };
}

/** A record of the current format around some content: for one that is neither a position nor a version. */
export function sealRecord(key: Uint8Array, content: Uint8Array): Uint8Array {
  const end = key.length + 1 + content.length;
  const buffer = Buffer.allocUnsafe(end + checksumBytes);
  buffer.set(key);
  buffer[key.length] = format;
  buffer.set(content, key.length + 1);
  writeChecksum(buffer, 0, end);
  return buffer.subarray(key.length);
}

/** The content of what {@link sealRecord} made. Throws {@link DamagedRecordError}. */
export function openRecord(key: Uint8Array, record: Uint8Array): Buffer {
  const content = checked(key, record, 1 + checksumBytes).subarray(1);
  return Buffer.from(content.buffer, content.byteOffset, content.length);
}

type ThreeCounts = readonly [number, number, number];

function writeHeader(buffer: Buffer, [first, second, third]: ThreeCounts, offset: number): void {
  buffer[offset] = format;
  writeCount(buffer, first, offset + 1);
  writeCount(buffer, second, offset + 1 + countBytes);
  writeCount(buffer, third, offset + 1 + 2 * countBytes);
}

function writeChecksum(buffer: Buffer, from: number, to: number): number {
  return buffer.writeUInt32BE(crc32(buffer.subarray(from, to)), to);
}

function readHeader(key: Uint8Array, record: Uint8Array): ThreeCounts {
  const { buffer, byteOffset, length } = checked(key, record, recordOverheadBytes);
  const bytes = Buffer.from(buffer, byteOffset, length);
  const countAt = (offset: number): number => readCount(bytes, offset, DamagedRecordError);
  return [countAt(1), countAt(1 + countBytes), countAt(1 + 2 * countBytes)];
}

/** A record without its checksum. Looks at that and at the format, before anything in it is believed. */
function checked(key: Uint8Array, record: Uint8Array, leastBytes: number): Uint8Array {
  if (record.length < leastBytes) throw new DamagedRecordError("a stored record of the store is cut short");
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const content = record.subarray(0, record.length - checksumBytes);
  if (crc32(content, crc32(key)) !== view.getUint32(content.length)) {
    throw new DamagedRecordError("the checksum of a stored record of the store is wrong");
  }
  if (record[0] !== format) {
    throw new DamagedRecordError(
      `a stored record of the store has format ${String(record[0])}, which this version cannot read`,
    );
  }
  return content;
}

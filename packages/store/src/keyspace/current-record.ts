/**
 * The facts of a key's current version, under 20 and the key:
 *
 *   0  create revision      8  mod revision     16  sub, 32 bits     20  version     28  lease, 64 bits
 */
import { type ByteString, toByteString } from "../bytes.ts";
import { countBytes, readCount, writeCount } from "../count.ts";
import type { Facts } from "../version.ts";
import { prefixes } from "./prefixes.ts";
import {
  asBuffer,
  beginRecord,
  DamagedRecordError,
  endRecord,
  openSized,
  recordOverheadBytes,
} from "./record.ts";

const size = { name: "current version", bytes: 3 * countBytes + 4 + 8, isLeast: false } as const;

/** Bytes of a key in the database. */
export const currentKeyBytes = (key: ByteString): number => 1 + key.length;

export const currentRecordBytes = recordOverheadBytes + size.bytes;

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

/** Writes the record behind its key, which stands from `keyOffset` on. Returns the offset behind it. */
export function writeCurrent(
  buffer: Buffer,
  facts: Facts,
  { keyOffset, offset }: { readonly keyOffset: number; readonly offset: number },
): number {
  let at = beginRecord(buffer, offset);
  at = writeCount(buffer, facts.createRevision, at);
  at = writeCount(buffer, facts.modRevision, at);
  at = buffer.writeUInt32BE(facts.sub, at);
  at = writeCount(buffer, facts.version, at);
  at = buffer.writeBigInt64BE(facts.lease, at);
  return endRecord(buffer, keyOffset, at);
}

/** Throws {@link DamagedRecordError}. */
export function decodeCurrent(key: Uint8Array, record: Uint8Array): Facts {
  const content = openSized(key, record, size);
  return {
    createRevision: readCount(content, 0, DamagedRecordError),
    modRevision: readCount(content, countBytes, DamagedRecordError),
    sub: content.readUInt32BE(2 * countBytes),
    version: readCount(content, 2 * countBytes + 4, DamagedRecordError),
    lease: content.readBigInt64BE(3 * countBytes + 4),
  };
}

/** The key in a database key. */
export const keyOfCurrent = (key: Uint8Array): ByteString => toByteString(asBuffer(key).subarray(1));

/**
 * A lease, under 13 and its id; and that a key goes with it, under 14, the id and the key, without content:
 *
 *   0  seconds granted, 64 bits      8  seconds that were left at the last checkpoint, 0 for none
 *  16  index of the log entry that granted it
 *
 * An id is 64 bits, and may be negative: it is written as two's complement, big-endian.
 */
import { type ByteString, toByteString } from "../bytes.ts";
import { countBytes, readCount, writeCount } from "../count.ts";
import type { KeyRange } from "../storage.ts";
import type { LeaseId } from "../version.ts";
import { prefixes } from "./prefixes.ts";
import { asBuffer, DamagedRecordError, openSized, sealRecord } from "./record.ts";

const idBytes = 8;
const size = { name: "lease", bytes: 16 + countBytes, isLeast: false } as const;
const attachmentSize = { name: "attachment", bytes: 0, isLeast: false } as const;

/** What every member knows of a lease; how much time has passed, only the leader does. */
export interface Lease {
  /** Seconds. */
  readonly grantedTtl: bigint;
  /** Seconds that were left when a leader last noted it; 0 if none did. */
  readonly remainingTtl: bigint;
  /** Of the log entry that granted it: tells it from an earlier one with the same id. */
  readonly grantedIndex: number;
}

export function leaseKey(id: LeaseId): Uint8Array {
  return keyWith(prefixes.lease, id, "");
}

export function attachmentKey(id: LeaseId, key: ByteString): Uint8Array {
  return keyWith(prefixes.attachment, id, key);
}

export function encodeLease(key: Uint8Array, lease: Lease): Uint8Array {
  const content = Buffer.allocUnsafe(size.bytes);
  content.writeBigInt64BE(lease.grantedTtl, 0);
  content.writeBigInt64BE(lease.remainingTtl, 8);
  writeCount(content, lease.grantedIndex, 16);
  return sealRecord(key, content);
}

/** Throws {@link DamagedRecordError}. */
export function decodeLease(key: Uint8Array, record: Uint8Array): Lease {
  if (key.length !== 1 + idBytes)
    throw new DamagedRecordError("a stored lease of the store has a key that none has");
  const content = openSized(key, record, size);
  return {
    grantedTtl: content.readBigInt64BE(0),
    remainingTtl: content.readBigInt64BE(8),
    grantedIndex: readCount(content, 16, DamagedRecordError),
  };
}

export const encodeAttachment = (key: Uint8Array): Uint8Array => sealRecord(key, new Uint8Array(0));

/** Throws {@link DamagedRecordError}. */
export function checkAttachment(key: Uint8Array, record: Uint8Array): void {
  if (key.length < 1 + idBytes)
    throw new DamagedRecordError("a stored attachment of the store has a key that none has");
  openSized(key, record, attachmentSize);
}

export const leaseIn = (storedKey: Uint8Array): LeaseId => asBuffer(storedKey).readBigInt64BE(1);

export const isAttachment = (storedKey: Uint8Array): boolean => storedKey[0] === prefixes.attachment;

/** What the keys of all of a lease's attachments begin with. */
export const leasePartOf = (storedKey: ByteString): ByteString => storedKey.slice(0, 1 + idBytes);

export const attachedKeyIn = (storedKey: Uint8Array): ByteString =>
  toByteString(asBuffer(storedKey).subarray(1 + idBytes));

export const leaseRange: KeyRange = {
  from: Uint8Array.of(prefixes.lease),
  before: Uint8Array.of(prefixes.lease + 1),
};

/** Where the database has the keys of a lease. */
export function attachmentRange(id: LeaseId): KeyRange {
  const from = attachmentKey(id, "");
  // Ids are counted up as unsigned numbers here; behind the last one comes the next table.
  const next = BigInt.asUintN(64, id) + 1n;
  const before =
    next === 2n ** 64n ? Uint8Array.of(prefixes.attachment + 1) : attachmentKey(BigInt.asIntN(64, next), "");
  return { from, before };
}

function keyWith(prefix: number, id: LeaseId, key: ByteString): Uint8Array {
  const buffer = Buffer.allocUnsafe(1 + idBytes + key.length);
  buffer[0] = prefix;
  buffer.writeBigInt64BE(id, 1);
  buffer.write(key, 1 + idBytes, "latin1");
  return buffer;
}

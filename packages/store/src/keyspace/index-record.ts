/**
 * That a key was changed in a revision, under 12, the key and the revision; of several changes, the last:
 *
 *   0  01 for a set, 02 for a delete        1  sub-revision of the change, 32 bits
 *
 * Within the database key a byte 00 of the key is written 00 ff, and 00 00 ends it: so keys stand in the
 * order of their bytes, and the revisions of each in theirs. "a" in revision 7 is 12 61 00 00 and 7 in eight
 * bytes.
 */
import { type ByteString, toByteString } from "../bytes.ts";
import { countBytes, readCount, writeCount } from "../count.ts";
import type { Interval } from "../read/interval.ts";
import type { Revision } from "../results.ts";
import type { KeyRange } from "../storage.ts";
import type { Change } from "../version.ts";
import { prefixes } from "./prefixes.ts";
import {
  asBuffer,
  beginRecord,
  DamagedRecordError,
  endRecord,
  openSized,
  recordOverheadBytes,
} from "./record.ts";

const kinds = { set: 1, delete: 2 } as const;
const size = { name: "index", bytes: 1 + 4, isLeast: false } as const;
const end = "\0\0";

/** Of a key in a revision. */
export interface IndexEntry {
  readonly key: ByteString;
  readonly revision: Revision;
  readonly sub: number;
  readonly isDeleted: boolean;
}

const escaped = (key: ByteString): ByteString => (key.includes("\0") ? key.replaceAll("\0", "\0\xff") : key);

export const indexRecordBytes = recordOverheadBytes + size.bytes;

export const indexKeyBytes = (key: ByteString): number => 1 + escaped(key).length + end.length + countBytes;

export function indexKey(key: ByteString, revision: Revision): Uint8Array {
  const buffer = Buffer.allocUnsafe(indexKeyBytes(key));
  writeIndexKey(buffer, { key, revision }, 0);
  return buffer;
}

export function writeIndexKey(
  buffer: Buffer,
  { key, revision }: Pick<IndexEntry, "key" | "revision">,
  offset: number,
): number {
  buffer[offset] = prefixes.index;
  const keyEnd = offset + 1 + buffer.write(escaped(key) + end, offset + 1, "latin1");
  return writeCount(buffer, revision, keyEnd);
}

/** Writes the record behind its key, which stands from `keyOffset` on. Returns the offset behind it. */
export function writeIndex(
  buffer: Buffer,
  { made }: Change,
  { keyOffset, offset }: { readonly keyOffset: number; readonly offset: number },
): number {
  let at = beginRecord(buffer, offset);
  at = buffer.writeUInt8(made.isDeleted ? kinds.delete : kinds.set, at);
  at = buffer.writeUInt32BE(made.sub, at);
  return endRecord(buffer, keyOffset, at);
}

/** Throws {@link DamagedRecordError}. */
export function decodeIndex(storedKey: Uint8Array, record: Uint8Array): IndexEntry {
  const key = asBuffer(storedKey);
  const keyEnd = key.length - countBytes;
  const text = toByteString(key.subarray(1, Math.max(1, keyEnd)));
  if (!text.endsWith(end))
    throw new DamagedRecordError("a stored index of the store has a key that none has");
  const content = openSized(storedKey, record, size);
  const kind = content.readUInt8(0);
  if (kind !== kinds.set && kind !== kinds.delete)
    throw new DamagedRecordError("a stored index of the store is of no kind that this version knows");
  const written = text.slice(0, -end.length);
  const unescaped = written.replaceAll("\0\xff", "\0");
  if (escaped(unescaped) !== written)
    throw new DamagedRecordError("a stored index of the store has a key that none has");
  return {
    key: unescaped,
    revision: readCount(key, keyEnd, DamagedRecordError),
    sub: content.readUInt32BE(1),
    isDeleted: kind === kinds.delete,
  };
}

/** Where the database has the index of an interval's keys. */
export function indexRange({ from, before }: Interval): KeyRange {
  const bound = (key: ByteString): Uint8Array => Buffer.from(`\x12${escaped(key)}`, "latin1");
  return {
    from: bound(from),
    before: before === undefined ? Uint8Array.of(prefixes.index + 1) : bound(before),
  };
}

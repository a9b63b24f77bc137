/**
 * One change of one key, under 11, its revision and its sub-revision (32 bits):
 *
 *   0  01 for a set, 02 for a delete; 03 and 04 for those that pass: the same revision changes the key again
 *   1  revision and sub-revision of the version that the key had before, 12 bytes; zeros if it was missing
 *  13  create revision     21  version     29  lease, 64 bits        zeros if deleted
 *  37  bytes of the key, 32 bits      41  key      …  value
 */
import { type ByteString, toByteString } from "../bytes.ts";
import { countBytes, readCount, writeCount } from "../count.ts";
import { type Change, noLease, type Place, placeOf } from "../version.ts";
import { prefixes } from "./prefixes.ts";
import {
  asBuffer,
  beginRecord,
  DamagedRecordError,
  endRecord,
  openSized,
  recordOverheadBytes,
} from "./record.ts";

const kinds = { set: 1, delete: 2, passingSet: 3, passingDelete: 4 } as const;
const placeBytes = countBytes + 4;
const fixedBytes = 1 + placeBytes + 2 * countBytes + 8 + 4;
const size = { name: "change", bytes: fixedBytes, isLeast: true } as const;

/** What a change says of its key's history, without what it has made. */
export interface ChangeOutline {
  readonly key: ByteString;
  readonly place: Place;
  readonly isDeleted: boolean;
  /** As in {@link Change}. */
  readonly isPassing: boolean;
  /** As in {@link Change}. */
  readonly previous: Place | undefined;
  /** Of the record and its database key: the same for all members. */
  readonly bytes: number;
}

/** Of every database key in this table. */
export const changeKeyBytes = 1 + placeBytes;

export function changeBytes({ key, made }: Change): number {
  const valueBytes = made.isDeleted ? 0 : made.value.length;
  return changeKeyBytes + recordOverheadBytes + fixedBytes + key.length + valueBytes;
}

/** The database key of what was made there. */
export function changeKey(place: Place): Uint8Array {
  const buffer = Buffer.allocUnsafe(changeKeyBytes);
  writeChangeKey(buffer, place, 0);
  return buffer;
}

export function writeChangeKey(buffer: Buffer, place: Place, offset: number): number {
  buffer[offset] = prefixes.change;
  return writePlace(buffer, place, offset + 1);
}

/** Writes the record behind its key, which stands from `keyOffset` on. Returns the offset behind it. */
export function writeChange(
  buffer: Buffer,
  change: Change,
  { keyOffset, offset }: { readonly keyOffset: number; readonly offset: number },
): number {
  const { key, made, previous } = change;
  let at = beginRecord(buffer, offset);
  at = buffer.writeUInt8(kindOf(change), at);
  at = writePlace(buffer, previous ?? nowhere, at);
  at = writeCount(buffer, made.isDeleted ? 0 : made.createRevision, at);
  at = writeCount(buffer, made.isDeleted ? 0 : made.version, at);
  at = buffer.writeBigInt64BE(made.isDeleted ? noLease : made.lease, at);
  at = buffer.writeUInt32BE(key.length, at);
  at += buffer.write(key, at, "latin1");
  if (!made.isDeleted) at += buffer.write(made.value, at, "latin1");
  return endRecord(buffer, keyOffset, at);
}

function kindOf({ made, isPassing }: Change): number {
  if (isPassing === true) return made.isDeleted ? kinds.passingDelete : kinds.passingSet;
  return made.isDeleted ? kinds.delete : kinds.set;
}

/** Throws {@link DamagedRecordError}. */
export function decodeChange(storedKey: Uint8Array, record: Uint8Array): Change {
  const { revision: modRevision, sub } = placeIn(storedKey);
  const content = openSized(storedKey, record, size);
  const { key, keyEnd, isDeleted, isPassing, previous } = decodeHead(content);
  const passing = isPassing ? ({ isPassing } as const) : {};
  const facts = 1 + placeBytes;
  if (isDeleted) {
    const isBare =
      content.length === keyEnd && content.subarray(facts, fixedBytes - 4).every((byte) => byte === 0);
    if (!isBare) throw new DamagedRecordError("a stored deletion of the store has what only versions have");
    return { key, made: { isDeleted: true, modRevision, sub }, previous, ...passing };
  }
  const made = {
    isDeleted: false,
    createRevision: readCount(content, facts, DamagedRecordError),
    modRevision,
    sub,
    version: readCount(content, facts + countBytes, DamagedRecordError),
    lease: content.readBigInt64BE(facts + 2 * countBytes),
    value: toByteString(content.subarray(keyEnd)),
  } as const;
  return { key, made, previous, ...passing };
}

/** The same of what is on the disk and of what is not yet. */
export const outlineOf = (change: Change): ChangeOutline => ({
  key: change.key,
  place: placeOf(change.made),
  isDeleted: change.made.isDeleted,
  isPassing: change.isPassing === true,
  previous: change.previous,
  bytes: changeBytes(change),
});

/** As {@link decodeChange}, without making anything of the value, which is the most of it. */
export function decodeOutline(storedKey: Uint8Array, record: Uint8Array): ChangeOutline {
  const { key, isDeleted, isPassing, previous } = decodeHead(openSized(storedKey, record, size));
  const bytes = storedKey.length + record.length;
  return { key, place: placeIn(storedKey), isDeleted, isPassing, previous, bytes };
}

interface Head {
  readonly key: ByteString;
  /** Where it ends in the content. */
  readonly keyEnd: number;
  readonly isDeleted: boolean;
  readonly isPassing: boolean;
  readonly previous: Place | undefined;
}

function decodeHead(content: Buffer): Head {
  const kind = content.readUInt8(0);
  const before = readPlace(content, 1);
  if (before.revision === 0 && before.sub !== 0)
    throw new DamagedRecordError("a stored change of the store follows one that there cannot be");
  const keyEnd = fixedBytes + content.readUInt32BE(fixedBytes - 4);
  if (keyEnd > content.length || kind < kinds.set || kind > kinds.passingDelete)
    throw new DamagedRecordError("a stored change of the store is of no kind that this version knows");
  return {
    key: toByteString(content.subarray(fixedBytes, keyEnd)),
    keyEnd,
    isDeleted: kind === kinds.delete || kind === kinds.passingDelete,
    isPassing: kind === kinds.passingSet || kind === kinds.passingDelete,
    previous: before.revision === 0 ? undefined : before,
  };
}

/** Where the change was made that stands under a database key. */
export function placeIn(storedKey: Uint8Array): Place {
  if (storedKey.length !== changeKeyBytes)
    throw new DamagedRecordError("a stored change of the store has a key of the wrong length");
  return readPlace(asBuffer(storedKey), 1);
}

/** Database keys of changes from one place on, up to and with all of a revision. */
export function changeRange(from: Place, through: number): { from: Uint8Array; before: Uint8Array } {
  return { from: changeKey(from), before: changeKey({ revision: through + 1, sub: 0 }) };
}

const nowhere: Place = { revision: 0, sub: 0 };

function writePlace(buffer: Buffer, { revision, sub }: Place, offset: number): number {
  return buffer.writeUInt32BE(sub, writeCount(buffer, revision, offset));
}

function readPlace(bytes: Buffer, offset: number): Place {
  return {
    revision: readCount(bytes, offset, DamagedRecordError),
    sub: bytes.readUInt32BE(offset + countBytes),
  };
}

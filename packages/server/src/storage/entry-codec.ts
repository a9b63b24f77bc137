/**
 * Log entries as stored: the value under 02 <index> is
 *
 *   0  kind: 01 empty, 02 command, 03 configuration
 *   1  term
 *   9  data
 *   …  checksum of key, kind, term and data: the last 4 bytes
 */
import { logIndex, term, type Entry, type EntryKind } from "@dkv/raft";
import { checksumBytes, unseal, writeChecksum } from "./checksum.ts";
import { countBytes, readCount, writeCount } from "./count.ts";
import { DamageError } from "./damage.ts";
import { entryKey, numberedKeyBytes, writeEntryKey } from "./keyspace.ts";
import type { Sealed } from "./records.ts";

const codes: Readonly<Record<EntryKind, number>> = { empty: 1, command: 2, configuration: 3 };
const kinds: readonly (EntryKind | undefined)[] = [undefined, "empty", "command", "configuration"];

const headerBytes = 1 + countBytes;

/** Records of entries, all in one buffer: at thousands a second an allocation for each is what costs. */
export function sealEntries(entries: readonly Entry[]): readonly Sealed[] {
  const buffer = Buffer.allocUnsafe(entries.reduce((bytes, entry) => bytes + recordBytes(entry), 0));
  let keyOffset = 0;
  return entries.map((entry) => {
    const valueOffset = writeEntryKey(buffer, entry.index, keyOffset);
    const end = writeEntry(buffer, entry, { keyOffset, valueOffset });
    const sealed = { key: buffer.subarray(keyOffset, valueOffset), value: buffer.subarray(valueOffset, end) };
    keyOffset = end;
    return sealed;
  });
}

/** Throws {@link DamageError} unless the value is the one written for `index`. */
export function unsealEntry(index: number, value: Buffer): Entry {
  const what = `log entry ${String(index)}`;
  const body = unseal(entryKey(index), value, what);
  const kind = kinds[body[0] ?? 0];
  if (kind === undefined || body.length < headerBytes) throw new DamageError(`${what} is of no known kind`);
  return { index: logIndex(index), term: term(readCount(body, 1)), kind, data: body.subarray(headerBytes) };
}

const recordBytes = (entry: Entry): number =>
  numberedKeyBytes + headerBytes + entry.data.length + checksumBytes;

function writeEntry(buffer: Buffer, entry: Entry, at: { keyOffset: number; valueOffset: number }): number {
  buffer[at.valueOffset] = codes[entry.kind];
  const dataOffset = writeCount(buffer, entry.term, at.valueOffset + 1);
  buffer.set(entry.data, dataOffset);
  return writeChecksum(buffer, at.keyOffset, dataOffset + entry.data.length);
}

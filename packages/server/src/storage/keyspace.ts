/**
 * The keys of the database, byte by byte. Each value is described where it is encoded.
 *
 *   key                  what                                      encoded in
 *   00 01                identity: format, cluster, member         records.ts
 *   00 02                members the cluster began with            records.ts
 *   01 <batch number>    marker of one batch, with the hard state  records.ts
 *   02 <log index>       log entry                                 entry-codec.ts
 *   03 ‥ 0f              reserved for the log
 *   10 ‥                 the state machine                         @dkv/store
 *
 * Numbers are 64 bits, big-endian: entry 258 is at 02 00 00 00 00 00 00 01 02, and iterating over a prefix
 * goes through the numbers in order. Every value below 10 ends with a CRC-32 of its key and the rest of it
 * (checksum.ts), so a record that turns up under another key is found out as well.
 */
import { countBytes, readCount, writeCount } from "./count.ts";
import { DamageError } from "./damage.ts";

const prefixes = { meta: 0x00, marker: 0x01, entry: 0x02 } as const;

/** The smallest first byte of the state machine's keys. */
const firstOfState = 0x10;

export const metaKeys = {
  identity: Uint8Array.of(prefixes.meta, 0x01),
  members: Uint8Array.of(prefixes.meta, 0x02),
} as const;

/** From the first key up to and without the second. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly before: Uint8Array;
}

const rangeOf = (prefix: number): KeyRange => ({
  from: Uint8Array.of(prefix),
  before: Uint8Array.of(prefix + 1),
});

export const ranges = {
  markers: rangeOf(prefixes.marker),
  entries: rangeOf(prefixes.entry),
} as const;

export const numberedKeyBytes = 1 + countBytes;

export const markerKey = (batch: number): Buffer => numberedKey(prefixes.marker, batch);
export const entryKey = (index: number): Buffer => numberedKey(prefixes.entry, index);

/** Writes the key of entry `index` at `offset` and returns the offset behind it. */
export function writeEntryKey(buffer: Buffer, index: number, offset: number): number {
  buffer[offset] = prefixes.entry;
  return writeCount(buffer, index, offset + 1);
}

/** The batch number or log index in a key found in one of the {@link ranges}. */
export function numberIn(key: Buffer): number {
  if (key.length !== numberedKeyBytes)
    throw new DamageError(`a key of ${String(key.length)} bytes stands among the log's`);
  return readCount(key, 1);
}

export const isStateKey = (key: Uint8Array): boolean => (key[0] ?? 0) >= firstOfState;

function numberedKey(prefix: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(numberedKeyBytes);
  key[0] = prefix;
  writeCount(key, number, 1);
  return key;
}

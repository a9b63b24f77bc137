/**
 * The keys of the database, byte by byte. Each value is described where it is encoded.
 *
 *   key                  what                                      encoded in
 *   00 01                identity: format, cluster, member         records.ts
 *   00 02                base: where the log begins                records.ts
 *   01 <batch number>    marker of one batch                       records.ts
 *   02                   progress of a snapshot being received     ../snapshot/progress.ts
 *   03 ‥ 0f              reserved
 *   10 ‥                 the state machine                         @dkv/store
 *
 * Numbers are 64 bits, big-endian: marker 258 is at 01 00 00 00 00 00 00 01 02, and iterating over a prefix
 * goes through the numbers in order. Every value below 10 ends with a CRC-32 of its key and the rest of it
 * (checksum.ts), so a record that turns up under another key is found out as well.
 */
import { countBytes, writeCount } from "@dkv/store";
import { readCount } from "../count.ts";
import { DamageError } from "../damage.ts";

const prefixes = { meta: 0x00, marker: 0x01 } as const;

/** The smallest first byte of the state machine's keys. */
const firstOfState = 0x10;

export const metaKeys = {
  identity: Uint8Array.of(prefixes.meta, 0x01),
  base: Uint8Array.of(prefixes.meta, 0x02),
} as const;

/** There only while the database holds a part of a snapshot, and is no member's state yet. */
export const incomingKey = Uint8Array.of(0x02);

/** From the first key up to and without the second. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly before: Uint8Array;
}

export const markers: KeyRange = {
  from: Uint8Array.of(prefixes.marker),
  before: Uint8Array.of(prefixes.marker + 1),
};

/** What is in a database only if something was saved after the first batch. */
export const afterFirstMarker = (): KeyRange => ({ from: markerKey(2), before: Uint8Array.of(0xff) });

const markerKeyBytes = 1 + countBytes;

export function markerKey(batch: number): Buffer {
  const key = Buffer.allocUnsafe(markerKeyBytes);
  key[0] = prefixes.marker;
  writeCount(key, batch, 1);
  return key;
}

/** The batch number in the key of a marker. */
export function batchIn(key: Buffer): number {
  if (key.length !== markerKeyBytes)
    throw new DamageError(`a key of ${String(key.length)} bytes stands among the markers`);
  return readCount(key, 1);
}

export const stateKeys: KeyRange = { from: Uint8Array.of(firstOfState), before: Uint8Array.of(0xff) };

export const isStateKey = (key: Uint8Array): boolean => (key[0] ?? 0) >= firstOfState;

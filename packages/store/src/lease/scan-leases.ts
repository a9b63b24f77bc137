import { type ByteString, fromByteString, toByteString } from "../bytes.ts";
import {
  attachedKeyIn,
  attachmentRange,
  checkAttachment,
  decodeLease,
  type Lease,
  leaseIn,
  leaseRange,
} from "../keyspace/lease-records.ts";
import { prefixes } from "../keyspace/prefixes.ts";
import type { Layer } from "../overlay/layer.ts";
import { compareKeys } from "../overlay/sorted-keys.ts";
import type { StateScanner } from "../storage.ts";
import type { LeaseId } from "../version.ts";

export type LeaseRow = readonly [LeaseId, Lease];

/**
 * All leases, some at a time, in no order.
 *
 * @param layers in front of the disk, newest first
 */
export async function* scanLeases(
  scanner: StateScanner,
  layers: readonly Layer[],
): AsyncGenerator<readonly LeaseRow[]> {
  const unsaved = recordsWith(layers, (key) => key.charCodeAt(0) === prefixes.lease);
  for await (const records of scanner.scan(leaseRange)) {
    const saved = records.filter(([key]) => !unsaved.has(toByteString(key)));
    yield saved.map(([key, record]): LeaseRow => [leaseIn(key), decodeLease(key, record)]);
  }
  yield [...unsaved].flatMap(([text, record]): readonly LeaseRow[] => {
    const key = fromByteString(text);
    return record === undefined ? [] : [[leaseIn(key), decodeLease(key, record)]];
  });
}

/** The keys of a lease that the disk has, in their order. */
export async function readAttached(scanner: StateScanner, lease: LeaseId): Promise<readonly ByteString[]> {
  const keys: ByteString[] = [];
  for await (const records of scanner.scan(attachmentRange(lease))) {
    for (const [key, record] of records) {
      checkAttachment(key, record);
      keys.push(attachedKeyIn(key));
    }
  }
  return keys;
}

/** Those of the disk with what stands in front of it, in the order of their bytes. */
export function mergeAttached(
  saved: readonly ByteString[],
  layers: readonly Layer[],
  lease: LeaseId,
): readonly ByteString[] {
  const prefix = toByteString(attachmentRange(lease).from);
  const keys = new Set(saved);
  // The newest has the last word.
  for (const layer of layers.toReversed()) {
    for (const text of layer.attachmentsOf(prefix)) {
      const key = text.slice(prefix.length);
      if (layer.records.get(text) === undefined) keys.delete(key);
      else keys.add(key);
    }
  }
  return [...keys].sort(compareKeys);
}

/** Of the small tables, what the newest layer has of each. */
function recordsWith(
  layers: readonly Layer[],
  isWanted: (key: ByteString) => boolean,
): Map<ByteString, Uint8Array | undefined> {
  const found = new Map<ByteString, Uint8Array | undefined>();
  for (const { records } of layers) {
    for (const [key, record] of records) if (isWanted(key) && !found.has(key)) found.set(key, record);
  }
  return found;
}

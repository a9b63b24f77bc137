/** Turns what was applied into records for the disk. */
import { type Alarm, encodeAlarms } from "./alarms.ts";
import {
  alarmsKey,
  currentKeyBytes,
  encodePosition,
  positionKey,
  recordOverheadBytes,
  writeCurrentKey,
  writeVersion,
} from "./keyspace.ts";
import type { ByteString } from "./bytes.ts";
import type { Known } from "./cache.ts";
import type { Position } from "./keyspace.ts";
import type { Layer } from "./overlay.ts";
import type { Change } from "./storage.ts";

/** What was applied since the changes before, and up to where. */
export interface Applied {
  readonly layer: Layer;
  /** Undefined if they are as they were. */
  readonly alarms: readonly Alarm[] | undefined;
  readonly position: Position;
}

/** The layer's records, the alarms, then the position: whoever has the position has all that it covers. */
export function encodeChanges({ layer, alarms, position }: Applied): readonly Change[] {
  const changes: Change[] = [];
  // One buffer for all: at thousands of writes a second an allocation for each record is what costs.
  const buffer = Buffer.allocUnsafe(totalBytes(layer));
  let keyOffset = 0;
  for (const [key, known] of layer) {
    const keyEnd = writeCurrentKey(buffer, key, keyOffset);
    const end = known === "missing" ? keyEnd : writeVersion(buffer, known, { keyOffset, offset: keyEnd });
    changes.push({
      key: buffer.subarray(keyOffset, keyEnd),
      value: known === "missing" ? undefined : buffer.subarray(keyEnd, end),
    });
    keyOffset = end;
  }
  if (alarms !== undefined) changes.push({ key: alarmsKey, value: encodeAlarms(alarms) });
  changes.push({ key: positionKey, value: encodePosition(position) });
  return changes;
}

function totalBytes(layer: Layer): number {
  let bytes = 0;
  for (const [key, known] of layer) bytes += changeBytes(key, known);
  return bytes;
}

function changeBytes(key: ByteString, known: Known): number {
  return currentKeyBytes(key) + (known === "missing" ? 0 : recordOverheadBytes + known.value.length);
}

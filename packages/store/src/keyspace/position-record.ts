/**
 * Where the state stands, under 10:
 *
 *   0  applied index        8  term of that entry        16  revision
 *
 * Counts are 64 bits, big-endian, here and in all records of the store.
 */
import { countBytes, readCount, writeCount } from "../count.ts";
import type { Revision } from "../results.ts";
import type { StateReader } from "../storage.ts";
import { prefixes } from "./prefixes.ts";
import { DamagedRecordError, openSized, sealRecord } from "./record.ts";

/** How far the log has been applied, and what that made of the revision. */
export interface Position {
  readonly appliedIndex: number;
  /** Term of the entry at `appliedIndex`. */
  readonly appliedTerm: number;
  readonly revision: Revision;
}

export const positionKey: Uint8Array = Uint8Array.of(prefixes.position);

const size = { name: "position", bytes: 3 * countBytes, isLeast: false } as const;

/** As etcd: an empty store is at revision 1, and the first change makes 2. */
const empty: Position = { appliedIndex: 0, appliedTerm: 0, revision: 1 };

export function encodePosition({ appliedIndex, appliedTerm, revision }: Position): Uint8Array {
  const content = Buffer.allocUnsafe(size.bytes);
  writeCount(content, appliedIndex, 0);
  writeCount(content, appliedTerm, countBytes);
  writeCount(content, revision, 2 * countBytes);
  return sealRecord(positionKey, content);
}

/** Throws {@link DamagedRecordError}. */
export function decodePosition(record: Uint8Array): Position {
  const content = openSized(positionKey, record, size);
  const countAt = (offset: number): number => readCount(content, offset, DamagedRecordError);
  return {
    appliedIndex: countAt(0),
    appliedTerm: countAt(countBytes),
    revision: countAt(2 * countBytes),
  };
}

/** Where the durable state stands. Throws {@link DamagedRecordError} if its record was changed. */
export function readPosition(reader: StateReader): Position {
  const record = reader.get(positionKey);
  return record === undefined ? empty : decodePosition(record);
}

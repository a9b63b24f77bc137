/**
 * How much history was given up, under 19:
 *
 *   0  revision: what was before it cannot be read any more
 *   8  00, or 01 if all that was given up is removed
 *   9  revision and sub-revision (32 bits) of the change at which removing goes on
 */
import { countBytes, readCount, writeCount } from "../count.ts";
import type { Revision } from "../results.ts";
import type { StateReader } from "../storage.ts";
import type { Place } from "../version.ts";
import { prefixes } from "./prefixes.ts";
import { DamagedRecordError, openSized, sealRecord } from "./record.ts";

export interface Compaction {
  /** The oldest revision that can be read; {@link nothingCompacted} until the first compaction. */
  readonly revision: Revision;
  readonly isRemoved: boolean;
  /** Where removing goes on. */
  readonly next: Place;
}

export const compactionKey: Uint8Array = Uint8Array.of(prefixes.compaction);

const size = { name: "compaction", bytes: 2 * countBytes + 1 + 4, isLeast: false } as const;

/** As in etcd, so that one compaction to 0 means something else than none. It is not stored. */
export const nothingCompacted: Revision = -1;

const none: Compaction = { revision: nothingCompacted, isRemoved: true, next: { revision: 0, sub: 0 } };

export function encodeCompaction({ revision, isRemoved, next }: Compaction): Uint8Array {
  const content = Buffer.allocUnsafe(size.bytes);
  let at = writeCount(content, revision, 0);
  at = content.writeUInt8(isRemoved ? 1 : 0, at);
  at = writeCount(content, next.revision, at);
  content.writeUInt32BE(next.sub, at);
  return sealRecord(compactionKey, content);
}

/** Throws {@link DamagedRecordError}. */
export function decodeCompaction(record: Uint8Array): Compaction {
  const content = openSized(compactionKey, record, size);
  const removed = content.readUInt8(countBytes);
  if (removed > 1)
    throw new DamagedRecordError("the stored compaction of the store is in no state that it can be in");
  return {
    revision: readCount(content, 0, DamagedRecordError),
    isRemoved: removed === 1,
    next: {
      revision: readCount(content, countBytes + 1, DamagedRecordError),
      sub: content.readUInt32BE(2 * countBytes + 1),
    },
  };
}

/** Of the durable state. Throws {@link DamagedRecordError}. */
export function readCompaction(reader: StateReader): Compaction {
  const record = reader.get(compactionKey);
  return record === undefined ? none : decodeCompaction(record);
}

/**
 * How far a snapshot has been received: the record at 02, written with each chunk.
 *
 *   0  format, 01
 *   1  count of chunks
 *   9  count of records
 *  17  chain (packages/snapshot/src/chunk.ts)
 *  21  bytes of the last key      25  last key
 *   …  the snapshot's header
 *
 * Counts are 64 bits, the others 32, big-endian; the record's checksum stands behind it (checksum.ts).
 */
import type { SnapshotProgress } from "@dkv/snapshot";
import { writeCount } from "@dkv/store";
import { seal, unseal } from "../checksum.ts";
import { readCount } from "../count.ts";
import { DamageError } from "../damage.ts";
import { incomingKey } from "../state/keyspace.ts";

export interface ReceivedPart {
  /** Encoded, to be compared byte by byte. */
  readonly header: Uint8Array;
  readonly progress: SnapshotProgress;
}

const format = 1;
const fixedBytes = 25;
const what = "the record of what was received of a snapshot";

/** The value to store under {@link incomingKey}. */
export function sealPart({ header, progress }: ReceivedPart): Buffer {
  const { chunks, records, chain, lastKey } = progress;
  const body = Buffer.allocUnsafe(fixedBytes + lastKey.length + header.length);
  body[0] = format;
  writeCount(body, chunks, 1);
  writeCount(body, records, 9);
  body.writeUInt32BE(chain, 17);
  body.writeUInt32BE(lastKey.length, 21);
  body.set(lastKey, fixedBytes);
  body.set(header, fixedBytes + lastKey.length);
  return seal(incomingKey, body);
}

/** Undefined if another version wrote it. Throws {@link DamageError}. */
export function unsealPart(value: Buffer): ReceivedPart | undefined {
  const body = unseal(incomingKey, value, what);
  if (body[0] !== format) return undefined;
  if (body.length < fixedBytes) throw new DamageError(`${what} is cut short`);
  const headerAt = fixedBytes + body.readUInt32BE(21);
  if (headerAt > body.length) throw new DamageError(`${what} is cut short`);
  return {
    header: body.subarray(headerAt),
    progress: {
      chunks: readCount(body, 1),
      records: readCount(body, 9),
      chain: body.readUInt32BE(17),
      lastKey: body.subarray(fixedBytes, headerAt),
    },
  };
}

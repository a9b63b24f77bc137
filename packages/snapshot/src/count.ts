/** Counts in snapshots: 64 bits, big-endian. */
import { DamagedSnapshotError } from "./damage.ts";

/** Returns the offset behind it. */
export function writeCount(buffer: Buffer, count: number, offset: number): number {
  buffer.writeUInt32BE(Math.floor(count / 2 ** 32), offset);
  return buffer.writeUInt32BE(count % 2 ** 32, offset + 4);
}

export function readCount(buffer: Buffer, offset: number): number {
  const count = buffer.readUInt32BE(offset) * 2 ** 32 + buffer.readUInt32BE(offset + 4);
  if (!Number.isSafeInteger(count)) throw new DamagedSnapshotError("a count in a snapshot is above 2^53 - 1");
  return count;
}

/** Counts in records (terms, indices, batch numbers): 64 bits, big-endian, so bytes sort as numbers do. */
import { DamageError } from "./damage.ts";

export const countBytes = 8;

/** Returns the offset behind it. */
export function writeCount(buffer: Buffer, count: number, offset: number): number {
  buffer.writeUInt32BE(Math.floor(count / 2 ** 32), offset);
  return buffer.writeUInt32BE(count % 2 ** 32, offset + 4);
}

export function readCount(buffer: Buffer, offset: number): number {
  const count = buffer.readUInt32BE(offset) * 2 ** 32 + buffer.readUInt32BE(offset + 4);
  if (!Number.isSafeInteger(count)) throw new DamageError("a stored count is above 2^53 - 1");
  return count;
}

/** Counts in records (terms, indices, revisions, batch numbers): 64 bits, big-endian, so bytes sort as numbers do. */

export const countBytes = 8;

/** Returns the offset behind it. */
export function writeCount(buffer: Buffer, count: number, offset: number): number {
  buffer.writeUInt32BE(Math.floor(count / 2 ** 32), offset);
  return buffer.writeUInt32BE(count % 2 ** 32, offset + 4);
}

/** @param Damage what is thrown above 2^53 - 1, which nothing has ever written */
export function readCount(bytes: Buffer, offset: number, Damage: new (message: string) => Error): number {
  const count = bytes.readUInt32BE(offset) * 2 ** 32 + bytes.readUInt32BE(offset + 4);
  if (!Number.isSafeInteger(count)) throw new Damage("a stored count is above 2^53 - 1");
  return count;
}

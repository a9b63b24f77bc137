/**
 * Sectors: what a disk writes whole or not at all. A record torn by a crash lacks some of its own, and where
 * they should be are the zeroes that the file was prepared with.
 */

/** The least that a disk writes at once. Larger sectors are made of these. */
export const sectorBytes = 512;

const zeroes = Buffer.alloc(64 * 1024);

/** Whether every byte is zero. */
export function isZero(bytes: Buffer): boolean {
  if (bytes.length <= zeroes.length) return bytes.equals(zeroes.subarray(0, bytes.length));
  for (let offset = 0; offset < bytes.length; offset += zeroes.length) {
    if (!isZero(bytes.subarray(offset, offset + zeroes.length))) return false;
  }
  return true;
}

/** Bytes from `offset` in a file to the end of the sector that it lies in. */
export const bytesToSectorEnd = (offset: number): number => sectorBytes - (offset % sectorBytes);

/**
 * How many sectors hold nothing but zeroes of what lies at `offset` in a file; of a sector that it shares
 * with its neighbours, its own part counts.
 */
export function countZeroSectors(bytes: Buffer, offset: number): number {
  let count = 0;
  for (let from = 0, to = bytesToSectorEnd(offset); from < bytes.length; from = to, to += sectorBytes) {
    if (bytes[from] === 0 && isZero(bytes.subarray(from, to))) count += 1;
  }
  return count;
}

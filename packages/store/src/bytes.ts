/**
 * Bytes as strings, one character a byte.
 *
 * Strings are what a Map compares by content. They also live on the heap at exactly their size, whereas
 * a Uint8Array decoded from a frame keeps the whole frame alive and a copy of it costs more to make.
 */

export type ByteString = string;

export function toByteString(bytes: Uint8Array): ByteString {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString("latin1");
}

export function fromByteString(text: ByteString): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** Bytes of a count in a record: 64 bits, big-endian, so that byte order is numeric order. */
export const countBytes = 8;

export function writeCount(buffer: Buffer, count: number, offset: number): void {
  buffer.writeUInt32BE(Math.floor(count / 2 ** 32), offset);
  buffer.writeUInt32BE(count % 2 ** 32, offset + 4);
}

/** Throws RangeError above 2^53 - 1, which nothing has ever written. */
export function readCount(view: DataView, offset: number): number {
  const count = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  if (!Number.isSafeInteger(count)) throw new RangeError("a stored count is at most 2^53 - 1");
  return count;
}

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

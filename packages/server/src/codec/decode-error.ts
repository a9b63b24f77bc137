/** Bytes from a peer that make no sense. Whoever sent them is not spoken to any further. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

const nothing = Buffer.alloc(0);

/**
 * Bytes that come in pieces, in memory of their own. A list of the pieces would cost some hundred bytes for
 * each, which a client could make out of one byte.
 */
export class GrowingBuffer {
  #memory: Buffer = nothing;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was appended and not taken. Valid until the next change. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /**
   * The memory it will have once so many more bytes are in it.
   *
   * @param expectedBytes what will probably be the length in the end: memory doubles, but not beyond that
   */
  capacityWith(moreBytes: number, expectedBytes: number): number {
    const neededBytes = this.#length + moreBytes;
    if (neededBytes <= this.#memory.length) return this.#memory.length;
    const doubledBytes = 2 * this.#memory.length;
    // Who exceeds the expectation may go on byte by byte, so from there on memory doubles again.
    const wantedBytes = neededBytes > expectedBytes ? doubledBytes : Math.min(doubledBytes, expectedBytes);
    return Math.max(neededBytes, wantedBytes);
  }

  append(piece: Uint8Array, expectedBytes = Number.POSITIVE_INFINITY): void {
    const capacity = this.capacityWith(piece.length, expectedBytes);
    if (capacity > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(capacity);
      larger.set(this.bytes);
      this.#memory = larger;
    }
    this.#memory.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** Returns the bytes, which are the caller's from now on, and is empty. */
  take(): Buffer {
    const { bytes } = this;
    this.#memory = nothing;
    this.#length = 0;
    return bytes;
  }
}

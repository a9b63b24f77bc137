import { DecodeError } from "../codec/decode-error.ts";

const headerBytes = 4;

/** What a TLS handshake begins with: a far longer frame than any that is allowed. */
const tlsBeginning = 0x1603;

/** Set aside at once for a frame of which nothing but the length is known. Hardly any is longer. */
const believedBytes = 2 * 2 ** 20;

/**
 * Cuts a stream of bytes into frames, each behind its length in four bytes, big-endian.
 *
 * A frame that lies whole in one chunk is a view of it; one that comes in pieces gets a buffer of its
 * own, once its length is known to be allowed. That of a very long one doubles as the bytes come: who says a
 * length and nothing more takes no memory for it. Nothing is used again, so that frames may be kept.
 */
export class FrameReader {
  #maxBytes: number;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** The frame that is coming in, and how much of it is there. */
  #partial: Buffer | undefined;
  #partialFilled = 0;
  #partialLength = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts for frames that begin from now on. */
  allow(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /**
   * The frames that `chunk` completes. To be run to its end, or never used again. Throws a DecodeError at a
   * frame that is too long.
   */
  frames(chunk: Buffer): Iterable<Buffer> {
    return this.#isOneFrame(chunk) ? [chunk.subarray(headerBytes)] : this.#cut(chunk);
  }

  /** As nearly every chunk is that holds no long frame. */
  #isOneFrame(chunk: Buffer): boolean {
    if (this.#headerFilled > 0 || this.#partial !== undefined || chunk.length < headerBytes) return false;
    const length = chunk.readUInt32BE();
    return length === chunk.length - headerBytes && length <= this.#maxBytes;
  }

  *#cut(chunk: Buffer): Generator<Buffer, void> {
    let position = 0;
    while (position < chunk.length) {
      if (this.#partial === undefined) {
        position += this.#takeHeader(chunk, position);
        if (this.#headerFilled < headerBytes) return;
        const length = this.#checkedLength();
        this.#headerFilled = 0;
        if (chunk.length - position >= length) {
          position += length;
          yield chunk.subarray(position - length, position);
          continue;
        }
        this.#partial = Buffer.allocUnsafeSlow(Math.min(length, believedBytes));
        this.#partialFilled = 0;
        this.#partialLength = length;
      }
      this.#partial = this.#withRoom(this.#partial, chunk.length - position);
      const taken = chunk.copy(this.#partial, this.#partialFilled, position);
      position += taken;
      this.#partialFilled += taken;
      if (this.#partialFilled < this.#partialLength) return;
      const frame = this.#partial;
      this.#partial = undefined;
      yield frame;
    }
  }

  /** The frame that is coming in, in memory that takes so many bytes more, or its rest. */
  #withRoom(partial: Buffer, moreBytes: number): Buffer {
    const neededBytes = Math.min(this.#partialFilled + moreBytes, this.#partialLength);
    if (neededBytes <= partial.length) return partial;
    const larger = Buffer.allocUnsafeSlow(
      Math.min(Math.max(neededBytes, 2 * partial.length), this.#partialLength),
    );
    partial.copy(larger, 0, 0, this.#partialFilled);
    return larger;
  }

  #takeHeader(chunk: Buffer, position: number): number {
    const taken = chunk.copy(
      this.#header,
      this.#headerFilled,
      position,
      position + headerBytes - this.#headerFilled,
    );
    this.#headerFilled += taken;
    return taken;
  }

  #checkedLength(): number {
    const length = this.#header.readUInt32BE();
    if (length > this.#maxBytes) {
      if (length >>> 16 === tlsBeginning)
        throw new DecodeError("it speaks TLS and this member was not told to");
      throw new DecodeError(
        `a frame of ${String(length)} bytes, where ${String(this.#maxBytes)} are allowed`,
      );
    }
    return length;
  }
}

/** Messages in the body of a gRPC stream: a byte that says whether it is compressed, the length, the message. */

const headBytes = 5;

/** The longest message that is taken. */
const mostBytes = 64 << 20;

export function frame(body: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(headBytes + body.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(body.length, 1);
  framed.set(body, headBytes);
  return framed;
}

/** Finds the messages in pieces that end anywhere. */
export class Frames {
  readonly #onBody: (body: Uint8Array) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onBody: (body: Uint8Array) => void) {
    this.#onBody = onBody;
  }

  /** Throws RangeError for a message that is compressed or too long. */
  take(piece: Buffer): void {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= headBytes) {
      const length = this.#rest.readUInt32BE(1);
      if (this.#rest.readUInt8(0) !== 0 || length > mostBytes)
        throw new RangeError("a message that was not asked for: compressed, or too long");
      if (this.#rest.length < headBytes + length) return;
      const body = this.#rest.subarray(headBytes, headBytes + length);
      this.#rest = this.#rest.subarray(headBytes + length);
      this.#onBody(body);
    }
  }
}

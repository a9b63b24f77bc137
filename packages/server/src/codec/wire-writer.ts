/**
 * Writes protobuf backwards: last field first, each at the end of the free space.
 *
 * The length that stands before a nested message is then known when its turn comes, so that nothing is
 * measured beforehand or moved afterwards. Callers therefore name fields in descending order.
 */
export class WireWriter {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  /** Start of what is written so far. */
  #start: number;

  /** @param capacity at least the bytes that will be written. */
  constructor(capacity: number) {
    // Not from the pool: a frame waits in a socket's queue and must not keep its neighbours alive.
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#start = capacity;
  }

  /** How much is written: the mark at which a nested message ends. */
  mark(): number {
    return this.#start;
  }

  /** Puts tag and length before what was written since `mark` was taken. */
  message(field: number, mark: number): void {
    this.#varint(mark - this.#start);
    this.#tag(field, 2);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#start -= value.length;
    this.#bytes.set(value, this.#start);
    this.#varint(value.length);
    this.#tag(field, 2);
  }

  /** Zero is not written: it is what a missing field means. */
  count(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(value);
    this.#tag(field, 0);
  }

  flag(field: number, value: boolean): void {
    this.count(field, value ? 1 : 0);
  }

  fixed64(field: number, value: bigint): void {
    if (value === 0n) return;
    this.#start -= 8;
    this.#view.setBigUint64(this.#start, value, true);
    this.#tag(field, 1);
  }

  /** Everything written, after its length in four bytes, big-endian. */
  finishFrame(): Buffer {
    const length = this.#bytes.length - this.#start;
    this.#start -= 4;
    this.#bytes.writeUInt32BE(length, this.#start);
    return this.#bytes.subarray(this.#start);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  /** Seven bits a byte, lowest first; all but the last have the top bit set. */
  #varint(value: number): void {
    let length = 1;
    for (let limit = 128; value >= limit; limit *= 128) length += 1;
    this.#start -= length;
    let rest = value;
    for (let position = this.#start; position < this.#start + length - 1; position += 1) {
      this.#bytes[position] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#start + length - 1] = rest;
  }
}

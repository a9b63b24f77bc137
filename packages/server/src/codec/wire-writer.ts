/** A longer frame gets memory of its own. */
const longBytes = 4 * 1024;

/**
 * Memory for the frames of one link, cut from blocks: setting memory aside takes longer than writing a small
 * frame. They leave in the order in which they were written, so a block goes when the last of its frames
 * has left, and none of them keeps another link's alive.
 */
export class FrameMemory {
  readonly #blockBytes: number;
  #block: Buffer | undefined;
  /** Everything in the block before this is free. */
  free = 0;

  constructor(blockBytes = 4 * longBytes) {
    this.#blockBytes = blockBytes;
  }

  /** The block, or another one if it has not so many bytes free. */
  withRoom(bytes: number): Buffer {
    if (this.#block !== undefined && bytes <= this.free) return this.#block;
    this.#block = Buffer.allocUnsafeSlow(this.#blockBytes);
    this.free = this.#blockBytes;
    return this.#block;
  }
}

/** Eight bytes at a time pass through it, in the order of the wire. */
const eightBytes = new DataView(new ArrayBuffer(8));

/**
 * Writes protobuf backwards: last field first, each at the end of the free space.
 *
 * The length that stands before a nested message is then known when its turn comes, so that nothing is
 * measured beforehand or moved afterwards. Callers therefore name fields in descending order.
 */
export class WireWriter {
  readonly #memory: FrameMemory;
  readonly #bytes: Buffer;
  readonly #end: number;
  /** Start of what is written so far. */
  #start: number;

  /**
   * @param capacity at least the bytes that will be written.
   * @param memory of the link that the frame is for, until the frame is finished.
   */
  constructor(capacity: number, memory?: FrameMemory) {
    // Not from Node's pool: a frame waits in a socket's queue and must not keep its neighbours alive.
    this.#memory = memory === undefined || capacity > longBytes ? new FrameMemory(capacity) : memory;
    this.#bytes = this.#memory.withRoom(capacity);
    this.#end = this.#memory.free;
    this.#start = this.#end;
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
    eightBytes.setBigUint64(0, value, true);
    for (let at = 0; at < 8; at += 1) this.#bytes[this.#start + at] = eightBytes.getUint8(at);
    this.#tag(field, 1);
  }

  /** Everything written, after its length in four bytes, big-endian. */
  finishFrame(): Buffer {
    const length = this.#end - this.#start;
    this.#start -= 4;
    this.#bytes.writeUInt32BE(length, this.#start);
    this.#memory.free = this.#start;
    return this.#bytes.subarray(this.#start, this.#end);
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

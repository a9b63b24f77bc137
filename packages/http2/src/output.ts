const smallestSlabBytes = 4 * 1024;
const largestSlabBytes = 64 * 1024;
/** A slab was too small if it served fewer writes than this, and too large if eight times as many. */
const fewWrites = 8;

/**
 * Gathers what is to be written so that one turn makes one write.
 *
 * Bytes are laid into a slab and handed on as views; a slab is never written to again where it was handed on,
 * so nobody has to know when the kernel has taken it. Slabs grow and shrink with the use that is made of
 * them, for a server has many idle connections and a few busy ones.
 */
export class Output {
  #slab: Buffer = Buffer.alloc(0);
  #slabBytes = smallestSlabBytes;
  #flushed = 0;
  #end = 0;
  /** Writes made out of this slab. */
  #writes = fewWrites;
  /** Handed on so far. */
  #flushedBytes = 0;
  readonly #write: (bytes: Buffer) => void;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** The buffer that {@link reserve} gives offsets of; changes when it is full. */
  get target(): Buffer {
    return this.#slab;
  }

  get flushedBytes(): number {
    return this.#flushedBytes;
  }

  get unflushedBytes(): number {
    return this.#end - this.#flushed;
  }

  /** Makes room for `bytes` and returns where they begin. The caller fills them before anything else. */
  reserve(bytes: number): number {
    if (!(bytes >= 0)) throw new RangeError(`no room of ${bytes} bytes can be made`);
    if (this.#end + bytes > this.#slab.length) this.#renew(bytes);
    const offset = this.#end;
    this.#end += bytes;
    return offset;
  }

  append(bytes: Uint8Array): void {
    const offset = this.reserve(bytes.length);
    this.#slab.set(bytes, offset);
  }

  flush(): void {
    if (this.#flushed === this.#end) return;
    const bytes = this.#slab.subarray(this.#flushed, this.#end);
    this.#flushed = this.#end;
    this.#flushedBytes += bytes.length;
    this.#writes += 1;
    this.#write(bytes);
  }

  #renew(bytes: number): void {
    this.flush();
    if (this.#writes < fewWrites) this.#slabBytes = Math.min(2 * this.#slabBytes, largestSlabBytes);
    if (this.#writes > 8 * fewWrites) this.#slabBytes = Math.max(this.#slabBytes / 2, smallestSlabBytes);
    this.#slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, bytes));
    this.#flushed = 0;
    this.#end = 0;
    this.#writes = 0;
  }
}

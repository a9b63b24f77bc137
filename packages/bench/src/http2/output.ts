const slabBytes = 128 * 1024;

/**
 * Gathers what is to be written so that one turn makes one write.
 *
 * Bytes are laid into a slab and handed on as views; a slab is never written to again where it was handed on,
 * so nobody has to know when the kernel has taken it.
 */
export class Output {
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #flushed = 0;
  #end = 0;
  readonly #write: (bytes: Buffer) => void;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** The buffer that {@link reserve} gives offsets of; changes when it is full. */
  get target(): Buffer {
    return this.#slab;
  }

  /** Makes room for `bytes` and returns where they begin. The caller fills them before anything else. */
  reserve(bytes: number): number {
    if (this.#end + bytes > this.#slab.length) {
      this.flush();
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
      this.#flushed = 0;
      this.#end = 0;
    }
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
    this.#write(bytes);
  }
}

import { assert } from "../assert.ts";
import type { LogIndex } from "../types.ts";

/**
 * The window of appends sent to one follower and not yet acknowledged: a ring of (last index, bytes),
 * oldest first.
 *
 * Invariants: last indices rise; count is at most the capacity; bytes is the sum over what is inside.
 */
export class Inflights {
  readonly #lastIndices: Float64Array;
  readonly #sizes: Float64Array;
  readonly #maxBytes: number;
  #oldest = 0;
  #count = 0;
  #bytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#lastIndices = new Float64Array(maxMessages);
    this.#sizes = new Float64Array(maxMessages);
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether nothing more may be sent. The append that reaches the limit of bytes was still allowed. */
  get isFull(): boolean {
    return this.#count === this.#lastIndices.length || this.#bytes >= this.#maxBytes;
  }

  /** Remembers an append that ends at `last`. */
  add(last: LogIndex, bytes: number): void {
    assert(!this.isFull, "an append is sent only while the window is open");
    const place = this.#place(this.#count);
    const before = this.#count === 0 ? 0 : this.#lastIndices[this.#place(this.#count - 1)];
    assert(before !== undefined && last > before, "appends in the window rise");
    this.#lastIndices[place] = last;
    this.#sizes[place] = bytes;
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** Forgets every append that ends at or before `match`. */
  freeTo(match: LogIndex): void {
    while (this.#count > 0) {
      const last = this.#lastIndices[this.#oldest];
      if (last === undefined || last > match) return;
      this.#bytes -= this.#sizes[this.#oldest] ?? 0;
      this.#oldest = this.#place(1);
      this.#count -= 1;
    }
  }

  clear(): void {
    this.#oldest = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #place(position: number): number {
    return (this.#oldest + position) % this.#lastIndices.length;
  }
}

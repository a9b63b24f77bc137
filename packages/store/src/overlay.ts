/**
 * What has been applied and is not yet durable. Reads look here before they look anywhere else.
 *
 *   set() ─▶ the open layer ─ take() ─▶ layers being written, oldest first ─ persisted() ─▶ forgotten
 */
import { assert } from "./assert.ts";
import type { ByteString } from "./bytes.ts";
import { type Known, sizeOf } from "./cache.ts";

/** Keys and what was made of them since the layer before; in the order in which they were first touched. */
export type Layer = ReadonlyMap<ByteString, Known>;

export class Overlay {
  #open = new Map<ByteString, Known>();
  #openBytes = 0;
  /** Of the layers being written, in the same order. */
  readonly #writtenBytes: number[] = [];
  readonly #beingWritten: Layer[] = [];

  get(key: ByteString): Known | undefined {
    const open = this.#open.get(key);
    if (open !== undefined) return open;
    for (let position = this.#beingWritten.length - 1; position >= 0; position -= 1) {
      const known = this.#beingWritten[position]?.get(key);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  /** Memory that the entries held take, roughly. */
  get bytes(): number {
    return this.#writtenBytes.reduce((sum, bytes) => sum + bytes, this.#openBytes);
  }

  set(key: ByteString, known: Known): void {
    const before = this.#open.get(key);
    if (before !== undefined) this.#openBytes -= sizeOf(key, before);
    this.#open.set(key, known);
    this.#openBytes += sizeOf(key, known);
  }

  /** Closes the open layer and returns it. It stays visible until it is durable. */
  take(): Layer {
    const layer = this.#open;
    this.#beingWritten.push(layer);
    this.#writtenBytes.push(this.#openBytes);
    this.#open = new Map();
    this.#openBytes = 0;
    return layer;
  }

  /** The oldest layer taken is durable: it is forgotten, and returned. */
  persisted(): Layer {
    const layer = this.#beingWritten.shift();
    this.#writtenBytes.shift();
    assert(layer !== undefined, "only changes that were taken can become durable");
    return layer;
  }
}

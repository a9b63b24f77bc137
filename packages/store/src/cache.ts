/**
 * What is known of a key: its current version, or that it does not exist. Both are worth remembering.
 */
import type { ByteString } from "./bytes.ts";
import type { Version } from "./version.ts";

export type Known = Version | "missing";

/** Roughly what an entry costs beyond its key and value: two map slots, two string headers, an object. */
const entryOverheadBytes = 200;

/**
 * Durable versions of recently used keys, within a budget of bytes.
 *
 * Two generations instead of a list in order of use: what is used moves to the young one; when that holds
 * half of the budget it becomes the old one, and what nobody used meanwhile is dropped at once. A hit in
 * the young generation, the common case, is one look-up and moves nothing.
 *
 * Invariant: where both generations hold a key, the young one is right.
 */
export class VersionCache {
  readonly #generationBytes: number;
  #young = new Map<ByteString, Known>();
  #old = new Map<ByteString, Known>();
  #youngBytes = 0;

  /** @param maxBytes upper bound of what both generations hold, as estimated from keys and values. */
  constructor(maxBytes: number) {
    this.#generationBytes = Math.floor(maxBytes / 2);
  }

  get(key: ByteString): Known | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: ByteString, known: Known): void {
    const bytes = sizeOf(key, known);
    const before = this.#young.get(key);
    if (before !== undefined) this.#youngBytes -= sizeOf(key, before);
    if (bytes > this.#generationBytes) {
      this.#young.delete(key);
      this.#old.delete(key);
      return;
    }
    if (this.#youngBytes + bytes > this.#generationBytes) this.#turn();
    this.#young.set(key, known);
    this.#youngBytes += bytes;
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}

/** Roughly the bytes of memory that a key and what is known of it take. */
export function sizeOf(key: ByteString, known: Known): number {
  return entryOverheadBytes + key.length + (known === "missing" ? 0 : known.value.length);
}

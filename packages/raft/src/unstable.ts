import { assert } from "./assert.ts";
import { type Entry, type EntryId, indexAfter, indexBefore, type LogIndex } from "./types.ts";

/**
 * The end of the log that is not known to be on disk.
 *
 * Invariants: entries are contiguous and the first has index `offset`; everything below offset is
 * stored. What the disk holds at or above offset is older and counts for nothing.
 */
export class UnstableTail {
  #offset: LogIndex;
  #entries: Entry[] = [];

  constructor(offset: LogIndex) {
    this.#offset = offset;
  }

  get offset(): LogIndex {
    return this.#offset;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The last index of the whole log: that of the last entry here, else of the last stored one. */
  get lastIndex(): LogIndex {
    return indexAfter(indexBefore(this.#offset), this.#entries.length);
  }

  at(index: LogIndex): Entry | undefined {
    return this.#entries[index - this.#offset];
  }

  /** A copy of the entries from `from` up to and without `to`. */
  slice(from: LogIndex, to: LogIndex): Entry[] {
    return this.#entries.slice(from - this.#offset, to - this.#offset);
  }

  /** Appends entries, in place of everything from the first one's index on. */
  replaceFrom(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index <= indexAfter(this.lastIndex), "the log has no gap");
    if (first.index < this.#offset) {
      this.#offset = first.index;
      this.#entries.length = 0;
    } else {
      this.#entries.length = first.index - this.#offset;
    }
    for (const entry of entries) this.#entries.push(entry);
  }

  /** The log goes on at `offset`, with nothing of what was here. */
  restart(offset: LogIndex): void {
    this.#offset = offset;
    this.#entries = [];
  }

  /**
   * The disk now holds everything up to `last`. If another leader's entry has taken that place since the
   * batch was handed out, nothing is known to be stored: the next batch writes it all again.
   */
  stableTo(last: EntryId): void {
    if (this.at(last.index)?.term !== last.term) return;
    this.#entries = this.#entries.slice(last.index - this.#offset + 1);
    this.#offset = indexAfter(last.index);
  }
}

import type { LogReader } from "../src/log-reader.ts";
import { type Entry, type EntryId, indexAfter, type LogIndex, noEntry, type Term } from "../src/types.ts";

/** A log in memory that stands for the one on disk. */
export class MemoryLog implements LogReader {
  /** The entry before the first: 0/0 unless the beginning was dropped. */
  #base: EntryId;
  #entries: Entry[];

  constructor(stored: readonly Entry[] = [], base: EntryId = noEntry) {
    this.#base = base;
    this.#entries = [...stored];
  }

  get base(): EntryId {
    return this.#base;
  }

  get firstIndex(): LogIndex {
    return indexAfter(this.#base.index);
  }

  get lastIndex(): LogIndex {
    return indexAfter(this.#base.index, this.#entries.length);
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.#base.index ? this.#base.term : this.#entries[this.#position(index)]?.term;
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    const taken: Entry[] = [];
    let size = 0;
    for (const one of this.#entries.slice(this.#position(from), this.#position(to))) {
      size += one.data.length;
      if (size > maxBytes && taken.length > 0) break;
      taken.push(one);
    }
    return taken;
  }

  all(): readonly Entry[] {
    return [...this.#entries];
  }

  terms(): readonly number[] {
    return this.#entries.map((one) => one.term);
  }

  write(batch: readonly Entry[]): void {
    const [first] = batch;
    if (first !== undefined) this.#entries.splice(this.#position(first.index), Infinity, ...batch);
  }

  /** Drops everything up to `index`, which is in the log. */
  drop(index: LogIndex): void {
    const term = this.termAt(index);
    if (term === undefined || index === this.#base.index) return;
    this.#entries = this.#entries.slice(this.#position(index) + 1);
    this.#base = { index, term };
  }

  /** Begins anew after `base`, with nothing of what was here. */
  restart(base: EntryId): void {
    this.#base = base;
    this.#entries = [];
  }

  #position(index: LogIndex): number {
    return index - this.#base.index - 1;
  }
}

/** The newest entries of the log, in memory: what followers that keep up are sent. */
import type { Entry, LogIndex } from "@dkv/raft";

/** Roughly what an entry costs beyond its data. */
const entryOverheadBytes = 250;

/** Invariant: holds nothing, or the contiguous run from #first to #last that ends the durable log. */
export class RecentEntries {
  readonly #maxBytes: number;
  readonly #entries = new Map<number, Entry>();
  #first = 0;
  #last = -1;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(index: LogIndex): Entry | undefined {
    return this.#entries.get(index);
  }

  /** Appends contiguous entries, in place of those held from the first one's index on. */
  append(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    for (; this.#last >= first.index && this.#entries.size > 0; this.#last -= 1) this.#remove(this.#last);
    if (this.#entries.size === 0) this.#first = first.index;
    for (const entry of entries) {
      this.#entries.set(entry.index, entry);
      this.#last = entry.index;
      this.#bytes += sizeOf(entry);
    }
    for (; this.#bytes > this.#maxBytes; this.#first += 1) this.#remove(this.#first);
  }

  #remove(index: number): void {
    const entry = this.#entries.get(index);
    if (entry === undefined) return;
    this.#entries.delete(index);
    this.#bytes -= sizeOf(entry);
  }
}

const sizeOf = (entry: Entry): number => entryOverheadBytes + entry.data.length;

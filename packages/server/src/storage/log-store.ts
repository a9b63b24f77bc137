/** The durable log: the newest entries in memory, all of them one point read away. */
import { logIndex, type Entry, type LogIndex, type LogReader, type Term } from "@dkv/raft";
import type { StateReader } from "@dkv/store";
import { assert } from "../platform/assert.ts";
import { DamageError } from "./damage.ts";
import { unsealEntry } from "./entry-codec.ts";
import { entryKey } from "./keyspace.ts";
import { RecentEntries } from "./recent-entries.ts";

export interface LogStoreOptions {
  /** As found by {@link verify}; 0 for an empty log. */
  readonly lastIndex: LogIndex;
  /** Upper bound of the entries kept in memory. */
  readonly cacheBytes: number;
}

export class LogStore implements LogReader {
  readonly firstIndex = logIndex(1);
  readonly #records: StateReader;
  readonly #recent: RecentEntries;
  #lastIndex: LogIndex;

  constructor(records: StateReader, options: LogStoreOptions) {
    this.#records = records;
    this.#recent = new RecentEntries(options.cacheBytes);
    this.#lastIndex = options.lastIndex;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    if (index === 0) return 0 as Term;
    return this.#holds(index) ? this.#entryAt(index).term : undefined;
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    assert(
      from < to && this.#holds(from) && to <= this.#lastIndex + 1,
      "only entries of the log are asked for",
    );
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = from; index < to; index = next(index)) {
      const entry = this.#entryAt(index);
      bytes += entry.data.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  /**
   * Stored entries that `entries` overwrites without putting another in their place, and which have to be
   * deleted in the same batch. Source: Raft Fig. 2, AppendEntries RPC, receiver step 3.
   */
  obsoleteAfter(entries: readonly Entry[]): readonly LogIndex[] {
    const last = entries.at(-1);
    if (last === undefined) return [];
    return Array.from({ length: Math.max(0, this.#lastIndex - last.index) }, (_, position) =>
      logIndex(last.index + 1 + position),
    );
  }

  /** Throws unless `entries` follow the log without a gap, or replace its end. */
  checkAppend(entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    assert(
      first.index >= this.firstIndex && first.index <= this.#lastIndex + 1,
      "entries follow the log without a gap",
    );
    let before = this.termAt(logIndex(first.index - 1));
    for (const [position, entry] of entries.entries()) {
      assert(entry.index === first.index + position, "entries are contiguous");
      assert(before !== undefined && entry.term >= before, "terms never decrease along the log");
      before = entry.term;
    }
  }

  /** The entries are durable: from now on they are the end of the log. */
  appended(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#recent.append(entries);
    this.#lastIndex = last.index;
  }

  #holds(index: LogIndex): boolean {
    return index >= this.firstIndex && index <= this.#lastIndex;
  }

  #entryAt(index: LogIndex): Entry {
    return this.#recent.get(index) ?? this.#read(index);
  }

  #read(index: LogIndex): Entry {
    const value = this.#records.get(entryKey(index));
    if (value === undefined) throw new DamageError(`log entry ${String(index)} is missing`);
    return unsealEntry(index, Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }
}

const next = (index: LogIndex): LogIndex => (index + 1) as LogIndex;

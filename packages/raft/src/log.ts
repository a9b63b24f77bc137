import { assert } from "./assert.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { ConfigurationHistory } from "./configuration/history.ts";
import type { LogReader } from "./log-reader.ts";
import {
  type Entry,
  type EntryId,
  indexAfter,
  indexBefore,
  type LogIndex,
  maxIndex,
  minIndex,
  type Term,
} from "./types.ts";
import { UnstableTail } from "./unstable.ts";

/** Where the log stands when the node starts. */
export interface LogStart {
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly configurations: ConfigurationHistory;
}

/** Stands for everything up to `last`: a state machine that has applied it, and who took part by then. */
export interface Snapshot {
  readonly last: EntryId;
  readonly configuration: Configuration;
}

/**
 * One view of the whole log, stored and not yet stored.
 *
 *   1 ──────────── handedOut ──── committed ──────────── last
 *   └──── stored ────────────────────┘ stable └─ unstable ─┘
 *
 * Stable may lie on either side of committed. The stored part may begin later than 1: its beginning is
 * dropped once it is applied. A snapshot takes the place of the whole log; until it is stored, nothing of the
 * log before it is looked at any more.
 *
 * Invariants: handedOut <= committed <= last; handedOut <= stable <= last; committed entries are never
 * replaced.
 */
export class RaftLog {
  readonly #stored: LogReader;
  readonly #unstable: UnstableTail;
  #configurations: ConfigurationHistory;
  #committed: LogIndex;
  #handedOut: LogIndex;
  /** Accepted in place of the log, and not known to be on disk. */
  #installing: Snapshot | undefined;

  constructor(stored: LogReader, start: LogStart) {
    assert(start.applied <= start.commit, "applied entries are committed");
    assert(start.commit <= stored.lastIndex, "committed entries are in the log");
    this.#stored = stored;
    this.#unstable = new UnstableTail(indexAfter(stored.lastIndex));
    this.#configurations = start.configurations;
    this.#committed = start.commit;
    this.#handedOut = start.applied;
  }

  /** Index of the first entry that is still there; the one before it has a term, and no content. */
  get firstIndex(): LogIndex {
    return this.#installing === undefined ? this.#stored.firstIndex : indexAfter(this.#installing.last.index);
  }

  get lastIndex(): LogIndex {
    return this.#unstable.lastIndex;
  }

  get lastEntry(): EntryId {
    return this.idAt(this.lastIndex);
  }

  /** Highest index up to which the disk is known to hold this log. */
  get stableIndex(): LogIndex {
    return this.#installing === undefined ? indexBefore(this.#unstable.offset) : this.#handedOut;
  }

  /** Who takes part, by the entries of this log. */
  get configurations(): Pick<ConfigurationHistory, "latest" | "at"> {
    return this.#configurations;
  }

  get installing(): Snapshot | undefined {
    return this.#installing;
  }

  get committed(): LogIndex {
    return this.#committed;
  }

  /** Highest index given to the state machine. */
  get handedOut(): LogIndex {
    return this.#handedOut;
  }

  get hasUnstable(): boolean {
    return !this.#unstable.isEmpty;
  }

  /** Undefined for an index outside the log; 0 before the first entry. */
  termAt(index: LogIndex): Term | undefined {
    if (index >= this.#unstable.offset) return this.#unstable.at(index)?.term;
    if (this.#installing === undefined) return this.#stored.termAt(index);
    return index === this.#installing.last.index ? this.#installing.last.term : undefined;
  }

  /** Appends entries, in place of everything from the first one's index on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.#committed, "committed entries are never replaced");
    this.#unstable.replaceFrom(entries);
    this.#configurations.append(entries);
  }

  /** Takes a snapshot in place of the whole log. */
  restore(snapshot: Snapshot): void {
    const { last, configuration } = snapshot;
    assert(last.index > this.#committed, "a snapshot brings something new");
    this.#unstable.restart(indexAfter(last.index));
    this.#configurations = new ConfigurationHistory({ index: last.index, configuration });
    this.#committed = last.index;
    this.#installing = snapshot;
  }

  /** The snapshot is on disk, and the state machine stands there. */
  restored(snapshot: Snapshot): void {
    this.#handedOut = maxIndex(this.#handedOut, snapshot.last.index);
    if (this.#installing === snapshot) this.#installing = undefined;
  }

  /** Forgets the configurations of entries that are not there any more. */
  forgetDropped(): void {
    this.#configurations.compact(indexBefore(this.firstIndex));
  }

  /** Entries from `from` up to and without `to`: at least one, then as many as fit in `maxBytes` of data. */
  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    assert(
      this.firstIndex <= from && from < to && to <= indexAfter(this.lastIndex),
      "the entries asked for are in the log",
    );
    const { offset } = this.#unstable;
    if (from >= offset) return fitting(this.#unstable.slice(from, to), maxBytes);

    const storedTo = minIndex(to, offset);
    const stored = this.#stored.entries(from, storedTo, maxBytes);
    if (to === storedTo || indexAfter(from, stored.length) < storedTo) return stored;
    const room = maxBytes - totalBytes(stored);
    const next = this.#unstable.at(offset);
    if (next === undefined || next.data.length > room) return stored;
    return [...stored, ...fitting(this.#unstable.slice(offset, to), room)];
  }

  /** A copy of everything the disk is not known to hold. */
  unstableEntries(): readonly Entry[] {
    return this.#unstable.slice(this.#unstable.offset, indexAfter(this.lastIndex));
  }

  /** A batch that ended with `last` is on disk. */
  stableTo(last: EntryId): void {
    assert(this.#stored.lastIndex >= last.index, "a synced batch is visible in the log reader");
    this.#unstable.stableTo(last);
  }

  /** Raises the commit index; never lowers it. Returns whether it rose. */
  commitTo(index: LogIndex): boolean {
    if (index <= this.#committed) return false;
    assert(index <= this.lastIndex, "committed entries are in the log");
    this.#committed = index;
    return true;
  }

  get hasCommittedToHandOut(): boolean {
    return this.#handedOut < this.#applicable;
  }

  /**
   * Committed and durable entries not given out before: at least one if there is any, then as many as fit.
   */
  takeCommitted(maxBytes: number): readonly Entry[] {
    if (!this.hasCommittedToHandOut) return [];
    const entries = this.entries(indexAfter(this.#handedOut), indexAfter(this.#applicable), maxBytes);
    this.#handedOut = indexAfter(this.#handedOut, entries.length);
    return entries;
  }

  get #applicable(): LogIndex {
    return minIndex(this.#committed, this.stableIndex);
  }

  /**
   * The last entry at or before `limit.index` whose term is not above `limit.term`. Two logs that differ
   * there cannot agree anywhere above it, so whole terms are skipped. A limit before the beginning of the log
   * is answered as it is. Source: Raft §5.3, last part.
   */
  lastNotAbove(limit: EntryId): EntryId {
    // Terms never decrease along the log, so this is a binary search for the last low enough one.
    let low = indexBefore(this.firstIndex);
    if (limit.index < low) return limit;
    let high = minIndex(limit.index, this.lastIndex);
    while (low < high) {
      const middle = indexAfter(low, Math.ceil((high - low) / 2));
      if (this.idAt(middle).term <= limit.term) low = middle;
      else high = indexBefore(middle);
    }
    return this.idAt(low);
  }

  /** Names the entry at `index`, which is in the log or just before its first entry. */
  idAt(index: LogIndex): EntryId {
    const term = this.termAt(index);
    assert(term !== undefined, "every index from before the first entry to the last has a term");
    return { term, index };
  }
}

/** The longest beginning that fits in `maxBytes`, at least one entry. */
function fitting(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  let bytes = 0;
  let count = 0;
  for (const entry of entries) {
    bytes += entry.data.length;
    if (bytes > maxBytes && count > 0) return entries.slice(0, count);
    count += 1;
  }
  return entries;
}

/** Bytes of data of all entries together. */
export function totalBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}

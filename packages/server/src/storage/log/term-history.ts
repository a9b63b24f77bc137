import { noEntry, type Entry, type EntryId, type LogIndex, type Term } from "@dkv/raft";

/** The terms of all entries, as runs: a log of millions has a few. */
export class TermHistory {
  readonly #runs: { readonly first: number; readonly term: Term }[] = [];
  /** What stands before the first entry. */
  #base: EntryId;
  #lastIndex: LogIndex;

  constructor(base: EntryId = noEntry) {
    this.#base = base;
    this.#lastIndex = base.index;
  }

  get base(): EntryId {
    return this.#base;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#base.term;
  }

  /** Undefined beyond the end of the log, and before what stands before its first entry. */
  at(index: LogIndex): Term | undefined {
    if (index < this.#base.index || index > this.#lastIndex) return undefined;
    return this.#runs.findLast(({ first }) => first <= index)?.term ?? this.#base.term;
  }

  /** Whether entries of these places and terms can stand in a log: without a gap, terms never decreasing. */
  admits(entries: readonly Entry[]): boolean {
    const [head] = entries;
    if (head === undefined) return true;
    if (head.index <= this.#base.index || head.index > this.#lastIndex + 1) return false;
    let before = this.at((head.index - 1) as LogIndex) ?? this.#base.term;
    let expected: number = head.index;
    for (const { index, term } of entries) {
      if (index !== expected || term < before) return false;
      before = term;
      expected += 1;
    }
    return true;
  }

  /** Requires that the log {@link admits} them. They replace everything from the first one's index on. */
  append(entries: readonly Entry[]): void {
    const [head] = entries;
    if (head === undefined) return;
    while ((this.#runs.at(-1)?.first ?? 0) >= head.index) this.#runs.pop();
    for (const { index, term } of entries) {
      if (term > this.lastTerm) this.#runs.push({ first: index, term });
      this.#lastIndex = index;
    }
  }

  /** The log now begins behind this entry of it. */
  compact(base: EntryId): void {
    while ((this.#runs[0]?.first ?? Number.POSITIVE_INFINITY) <= base.index) this.#runs.shift();
    this.#base = base;
  }
}

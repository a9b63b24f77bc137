import { noEntry, type LogIndex, type Term } from "@dkv/raft";

/** The terms of all entries, as runs: a log of millions has a few. */
export class TermHistory {
  readonly #runs: { readonly first: number; readonly term: Term }[] = [];
  #lastIndex = noEntry.index;

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? noEntry.term;
  }

  /** Returns false, and changes nothing, if no entry of this term can follow the one before. */
  append(index: LogIndex, term: Term): boolean {
    if (index < 1 || index > this.#lastIndex + 1) return false;
    while ((this.#runs.at(-1)?.first ?? 0) >= index) this.#runs.pop();
    this.#lastIndex = index;
    if (term < this.lastTerm) return false;
    if (term > this.lastTerm) this.#runs.push({ first: index, term });
    return true;
  }

  /** Undefined beyond the end of the log; 0 before the first entry. */
  at(index: LogIndex): Term | undefined {
    if (index === 0) return noEntry.term;
    if (index > this.#lastIndex) return undefined;
    return this.#runs.findLast(({ first }) => first <= index)?.term;
  }
}

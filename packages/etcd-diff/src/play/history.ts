/** Which events there have been, so that it is known which ones a watcher has to get. */

/** A change of one key. */
export interface Change {
  readonly revision: number;
  /** A letter for each byte. */
  readonly key: string;
  readonly isDelete: boolean;
}

/** What a watcher asked for. */
export interface Interest {
  readonly key: string;
  /** Empty: that key alone; one zero byte: everything from it on. */
  readonly rangeEnd: string;
  readonly fromRevision: number;
  readonly noPut: boolean;
  readonly noDelete: boolean;
}

/** Counts, as the history grows, the changes that one watcher has to hear of. */
export class Expectation {
  readonly #interest: Interest;
  readonly #history: readonly Change[];
  #seen = 0;
  #count = 0;

  /** @param history grows at its end, and revisions in it never go down */
  constructor(interest: Interest, history: readonly Change[]) {
    this.#interest = interest;
    this.#history = history;
  }

  /** How many there are so far. */
  count(): number {
    for (; this.#seen < this.#history.length; this.#seen += 1) {
      const change = this.#history[this.#seen];
      if (change !== undefined && isOfInterest(change, this.#interest)) this.#count += 1;
    }
    return this.#count;
  }
}

export function isOfInterest(change: Change, interest: Interest): boolean {
  if (change.revision < interest.fromRevision) return false;
  if (change.isDelete ? interest.noDelete : interest.noPut) return false;
  const first = interest.key === "" ? "\0" : interest.key;
  if (interest.rangeEnd === "") return change.key === first;
  return change.key >= first && (interest.rangeEnd === "\0" || change.key < interest.rangeEnd);
}

/** A part of the history in memory, without a gap. History never changes, so it stays true. */
import type { Change, Revision } from "@dkv/store";

export interface ChangesOfRevision {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

/** Roughly what a change costs beyond its key and value: objects, string headers. */
const changeOverheadBytes = 200;

/** Memory that a change takes, roughly. */
export const changeBytes = ({ key, made }: Change): number =>
  changeOverheadBytes + key.length + (made.isDeleted ? 0 : made.value.length);

export class Stretch {
  /** It has everything from this revision on. */
  readonly from: Revision;
  #through: Revision;
  #revisions: { readonly revision: Revision; readonly changes: Change[] }[] = [];
  #bytes = 0;

  constructor(from: Revision) {
    this.from = from;
    this.#through = from - 1;
  }

  /** Up to and with this one. */
  get through(): Revision {
    return this.#through;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Those that come next. The last revision may go on with the next call. */
  append(changes: readonly Change[]): void {
    for (const change of changes) {
      const { modRevision: revision } = change.made;
      const last = this.#revisions.at(-1);
      if (last?.revision === revision) last.changes.push(change);
      else this.#revisions.push({ revision, changes: [change] });
      this.#through = revision;
      this.#bytes += changeBytes(change);
    }
  }

  /** There is nothing more up to and with a revision. */
  complete(through: Revision): void {
    this.#through = through;
  }

  /** Forgets the last revision, which may be incomplete. False if there is no other. */
  cut(): boolean {
    if (this.#revisions.length < 2) return false;
    const cut = this.#revisions.pop();
    if (cut !== undefined) this.#through = cut.revision - 1;
    return true;
  }

  /** Adds what another one has, which begins where this one ends. */
  join(next: Stretch): void {
    this.#revisions = [...this.#revisions, ...next.#revisions];
    this.#through = next.#through;
    this.#bytes += next.#bytes;
  }

  /** From one revision on, as far as there were changes. */
  *after(first: Revision): Generator<ChangesOfRevision> {
    for (let at = this.#position(first); ; at += 1) {
      const found = this.#revisions[at];
      if (found === undefined) return;
      yield found;
    }
  }

  /** Of the first revision that is not below. */
  #position(revision: Revision): number {
    let low = 0;
    let high = this.#revisions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#revisions[middle]?.revision ?? revision) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Reads about so many bytes of history: whole revisions, and at least one, however big it is.
 *
 * @param history from the first revision on, up to and with the last
 */
export async function readStretch(
  history: AsyncIterable<readonly Change[]>,
  [from, through]: readonly [Revision, Revision],
  bytes: number,
): Promise<Stretch> {
  const stretch = new Stretch(from);
  for await (const changes of history) {
    stretch.append(changes);
    if (stretch.bytes >= bytes && stretch.cut()) return stretch;
  }
  stretch.complete(through);
  return stretch;
}

/**
 * Reads the pieces in which history is removed. While one is removed the next is read already: nothing can be
 * applied while an entry waits for the disk, and this way it hardly ever does.
 *
 * What is read early is what would be read late: a piece removes only what was made before the next begins,
 * and nothing is added below the compact revision.
 */
import type { ChangeOutline } from "../keyspace/change-record.ts";
import type { Revision } from "../results.ts";
import type { Place } from "../version.ts";
import { type HistoryMoment, readOutlines } from "./read-history.ts";

/** Changes that one command looks at: two milliseconds, on its way to the disk included. */
const usualChanges = 500;

/** With so much read for it, a piece ends. */
const mostBytes = 2 ** 20;

export interface Piece {
  /** In their order. */
  readonly changes: readonly ChangeOutline[];
  /** Where the next one begins; undefined if nothing is left. */
  readonly next: Place | undefined;
}

/** What there is to be removed. */
export interface Stretch {
  readonly from: Place;
  /** The compact revision. */
  readonly through: Revision;
}

export class Pieces {
  readonly #now: () => HistoryMoment;
  readonly #mostChanges: number;
  #ahead: { readonly of: Stretch; readonly piece: Promise<Piece> } | undefined;

  /** @param mostChanges of one piece; only tests have others, on all members the same */
  constructor(now: () => HistoryMoment, mostChanges = usualChanges) {
    this.#now = now;
    this.#mostChanges = mostChanges;
  }

  /** The first piece of a stretch. Begins to read the second. Rejects with DamagedRecordError. */
  async read(of: Stretch): Promise<Piece> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const piece = await (ahead !== undefined && isSame(ahead.of, of) ? ahead.piece : this.#collect(of));
    if (piece.next !== undefined) this.#readAhead({ from: piece.next, through: of.through });
    return piece;
  }

  #readAhead(of: Stretch): void {
    const piece = this.#collect(of);
    this.#ahead = { of, piece };
    // Whoever needs it hears of a failure; perhaps nobody does.
    piece.catch(() => undefined);
  }

  async #collect({ from, through }: Stretch): Promise<Piece> {
    const changes: ChangeOutline[] = [];
    let bytes = 0;
    for await (const batch of readOutlines(this.#now(), { from, through, most: this.#mostChanges })) {
      for (const change of batch) {
        changes.push(change);
        bytes += change.bytes;
        if (changes.length < this.#mostChanges && bytes < mostBytes) continue;
        const { revision, sub } = change.place;
        return { changes, next: { revision, sub: sub + 1 } };
      }
    }
    return { changes, next: undefined };
  }
}

const isSame = (one: Stretch, other: Stretch): boolean =>
  one.through === other.through &&
  one.from.revision === other.from.revision &&
  one.from.sub === other.from.sub;

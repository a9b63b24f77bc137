/**
 * Numbers the batches, and decides how long each one's marker is kept.
 *
 * One flipped byte in LevelDB's log makes it skip a batch, or many, without a word. A marker per batch
 * turns that into a hole between numbers, which {@link verifyState} finds at the next start. A marker is of
 * use only while its batch is in a log file: what has moved into a table is covered by the checks of the
 * records themselves. A batch has moved when so many bytes were written after it that LevelDB has changed
 * its log file twice; the second change waits for the first one's table.
 */

/** Removed with each batch at most. More than one, so that a backlog found at a start goes away. */
const removedAtOnce = 16;

/** How finely it is known which batches lie how far back. */
const milestoneBytes = 4 * 2 ** 20;

export interface BatchNumbersOptions {
  /** The newest batch found at the start; everything up to it is in tables by then. */
  readonly last: number;
  readonly oldestKept: number;
  /** So many bytes after a batch its log file is gone. Twice the bytes of a log file, and some for safety. */
  readonly safeBytes: number;
}

/** What the next batch is called, and which markers go with it. */
export interface NextBatch {
  readonly batch: number;
  /** The oldest marker that stays. */
  readonly oldestKept: number;
  readonly obsolete: readonly number[];
}

export class BatchNumbers {
  readonly #safeBytes: number;
  #last: number;
  #oldestKept: number;
  /** Batches up to this one are in tables. */
  #inTables: number;
  #bytes = 0;
  readonly #milestones: { readonly batch: number; readonly bytes: number }[] = [];

  constructor({ last, oldestKept, safeBytes }: BatchNumbersOptions) {
    this.#safeBytes = safeBytes;
    this.#last = last;
    this.#oldestKept = oldestKept;
    this.#inTables = last;
  }

  next(): NextBatch {
    const removed = Math.max(0, Math.min(removedAtOnce, this.#inTables - this.#oldestKept + 1));
    return {
      batch: this.#last + 1,
      oldestKept: this.#oldestKept + removed,
      obsolete: Array.from({ length: removed }, (_, position) => this.#oldestKept + position),
    };
  }

  /** The batch that {@link next} named is durable, and put so many bytes. */
  written({ batch, oldestKept }: NextBatch, bytes: number): void {
    this.#last = batch;
    this.#oldestKept = oldestKept;
    this.#bytes += bytes;
    const since = this.#milestones.at(-1)?.bytes ?? 0;
    if (this.#bytes - since >= milestoneBytes) this.#milestones.push({ batch, bytes: this.#bytes });
    for (
      let [first] = this.#milestones;
      first !== undefined && this.#isPast(first.bytes);
      [first] = this.#milestones
    ) {
      this.#inTables = first.batch;
      this.#milestones.shift();
    }
  }

  #isPast(bytes: number): boolean {
    return this.#bytes - bytes > this.#safeBytes;
  }
}

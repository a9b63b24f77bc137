import { assert } from "./assert.ts";
import type { RaftLog, Snapshot } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import type { PersistBatch } from "./ready.ts";
import type { EntryId, HardState } from "./types.ts";

interface BatchOut {
  readonly id: number;
  readonly hardState: HardState;
  readonly last: EntryId | undefined;
  readonly snapshot: Snapshot | undefined;
}

/** What a crash must not undo. */
type Promised = Pick<HardState, "term" | "votedFor">;

/**
 * What has been given to the disk, and what the disk has confirmed. At most one batch is out, so the
 * disk always holds exactly the log and hard state as of the last confirmed batch.
 */
export class Persistence {
  /** As in the newest batch given out. */
  #given: HardState;
  /** As in the newest batch confirmed. */
  #durable: HardState;
  #out: BatchOut | undefined;
  #lastId = 0;

  constructor(hardState: HardState) {
    this.#given = hardState;
    this.#durable = hardState;
  }

  get isBatchOut(): boolean {
    return this.#out !== undefined;
  }

  /** Whether the disk holds the term and the vote of `current`. */
  holds(current: Promised): boolean {
    return current.term === this.#durable.term && current.votedFor === this.#durable.votedFor;
  }

  /** Whether a batch is due. A commit index alone is no reason: it is a hint and rides with the next one. */
  isDue({ term, votedFor, log }: Promised & { readonly log: RaftLog }): boolean {
    if (this.#out !== undefined) return false;
    return log.hasUnstable || log.installing !== undefined || !this.holds({ term, votedFor });
  }

  /** Takes everything unwritten, and every message that waits for it. Requires that a batch is due. */
  take(current: HardState, log: RaftLog, outbox: Outbox): PersistBatch {
    assert(this.#out === undefined, "at most one batch is out");
    const entries = log.unstableEntries();
    const snapshot = log.installing;
    const isChanged = !isEqual(current, this.#given);
    this.#lastId += 1;
    this.#given = current;
    this.#out = { id: this.#lastId, hardState: current, last: entries.at(-1), snapshot };
    return {
      id: this.#lastId,
      hardState: isChanged ? current : undefined,
      snapshot,
      entries,
      thenSend: outbox.takeAll(),
    };
  }

  /** The batch is on disk. */
  confirm(batchId: number, log: RaftLog): void {
    const out = this.#out;
    assert(out?.id === batchId, "the batch that is out is the one confirmed");
    this.#out = undefined;
    this.#durable = out.hardState;
    if (out.snapshot !== undefined) log.restored(out.snapshot);
    if (out.last !== undefined) log.stableTo(out.last);
    log.forgetDropped();
  }
}

function isEqual(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.votedFor === b.votedFor && a.commit === b.commit;
}

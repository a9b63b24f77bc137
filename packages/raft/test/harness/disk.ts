import { assert } from "../../src/assert.ts";
import type { Entry, HardState, LogIndex } from "../../src/types.ts";
import { maxIndex, noEntry } from "../../src/types.ts";
import { MemoryLog } from "../solo.ts";

/** Everything that a node finds when it starts. */
export interface Stored {
  readonly hardState: HardState;
  readonly log: readonly Entry[];
  /** How far the state machine on this disk is. */
  readonly applied: LogIndex;
}

/** One synced write of the log, and with it how far the state machine is. */
export interface Write {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly applied: LogIndex;
}

export const emptyStore: Stored = {
  hardState: { term: noEntry.term, votedFor: undefined, commit: noEntry.index },
  log: [],
  applied: noEntry.index,
};

/**
 * A disk that takes its time: a write begins, and is there once it has ended. A crash in between loses
 * it, or keeps it without anybody having been told.
 */
export class Disk {
  readonly log: MemoryLog;
  #hardState: HardState;
  #applied: LogIndex;
  #writing: Write | undefined;

  constructor(stored: Stored) {
    this.log = new MemoryLog(stored.log);
    this.#hardState = stored.hardState;
    this.#applied = stored.applied;
  }

  /** The commit index covers what was applied: it is stored with the next batch only. */
  get hardState(): HardState {
    return { ...this.#hardState, commit: maxIndex(this.#hardState.commit, this.#applied) };
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  begin(write: Write): void {
    assert(this.#writing === undefined, "one write at a time");
    this.#writing = write;
  }

  end(): void {
    const write = this.#writing;
    assert(write !== undefined, "a write that ends has begun");
    this.#writing = undefined;
    if (write.hardState !== undefined) {
      assert(write.hardState.term >= this.#hardState.term, "the term on disk never decreases");
      this.#hardState = write.hardState;
    }
    this.log.write(write.entries);
    this.save(write.applied);
  }

  /** The state machine is durable up to `applied`. */
  save(applied: LogIndex): void {
    assert(applied <= this.log.lastIndex, "a disk that holds an entry's effect holds the entry");
    this.#applied = maxIndex(this.#applied, applied);
  }

  crash(writeSurvives: "lost" | "kept"): void {
    if (this.#writing === undefined) return;
    if (writeSurvives === "kept") this.end();
    this.#writing = undefined;
  }
}

import { assert } from "../../src/assert.ts";
import type { ConfigurationAt } from "../../src/configuration/configuration.ts";
import { ConfigurationHistory } from "../../src/configuration/history.ts";
import type { Snapshot } from "../../src/log.ts";
import type { Entry, HardState, LogIndex } from "../../src/types.ts";
import { maxIndex, noEntry } from "../../src/types.ts";
import { MemoryLog } from "../memory-log.ts";
import { type State, stateOf } from "./state-machine.ts";

/** Everything that a node finds when it starts. */
export interface Stored {
  readonly hardState: HardState;
  readonly log: readonly Entry[];
  /** How far the state machine on this disk is. */
  readonly applied: LogIndex;
}

/** A snapshot and the state machine that it stands for. */
export interface SnapshotContent extends Snapshot {
  readonly state: State;
}

/** One synced write of the log, and with it how far the state machine is. */
export interface Write {
  readonly hardState: HardState | undefined;
  readonly snapshot: SnapshotContent | undefined;
  readonly entries: readonly Entry[];
  readonly state: State;
}

/**
 * What becomes of a write that had begun when the process dies: nothing of it is there; all of it, although
 * nobody was told; or of a write with a snapshot only that, and the hard state with which its log begins.
 */
export type WriteFate = "lost" | "kept" | "installed";

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
  #configurations: ConfigurationHistory;
  #hardState: HardState;
  #state: State;
  #writing: Write | undefined;

  constructor(stored: Stored, base: ConfigurationAt) {
    this.log = new MemoryLog(stored.log);
    this.#configurations = new ConfigurationHistory(base);
    this.#configurations.append(stored.log);
    this.#hardState = stored.hardState;
    this.#state = stateOf(stored.log.slice(0, stored.applied));
  }

  /** The commit index covers what was applied: it is stored with the next batch only. */
  get hardState(): HardState {
    return { ...this.#hardState, commit: maxIndex(this.#hardState.commit, this.#state.applied) };
  }

  get state(): State {
    return this.#state;
  }

  get configurations(): Pick<ConfigurationHistory, "all" | "at" | "latest"> {
    return this.#configurations;
  }

  begin(write: Write): void {
    assert(this.#writing === undefined, "one write at a time");
    this.#writing = write;
  }

  end(): Write {
    const write = this.#takeWrite();
    assert(write !== undefined, "a write that ends has begun");
    this.#setHardState(write);
    if (write.snapshot !== undefined) this.#install(write.snapshot);
    this.log.write(write.entries);
    this.#configurations.append(write.entries);
    this.save(write.state);
    return write;
  }

  /** The state machine is durable. */
  save(state: State): void {
    assert(state.applied <= this.log.lastIndex, "a disk that holds an entry's effect holds the entry");
    if (state.applied > this.#state.applied) this.#state = state;
  }

  /** Drops the log up to `index`, as far as what it led to is durable. */
  compact(index: LogIndex): void {
    assert(index <= this.#state.applied, "what is dropped from the log is durable in the state machine");
    this.log.drop(index);
    this.#configurations.compact(this.log.base.index);
  }

  crash(fate: WriteFate): void {
    if (this.#writing === undefined) return;
    if (fate === "kept") this.end();
    const write = this.#takeWrite();
    if (fate !== "installed" || write?.snapshot === undefined) return;
    this.#setHardState(write);
    this.#install(write.snapshot);
  }

  #takeWrite(): Write | undefined {
    const write = this.#writing;
    this.#writing = undefined;
    return write;
  }

  #setHardState({ hardState }: Write): void {
    if (hardState === undefined) return;
    assert(hardState.term >= this.#hardState.term, "the term on disk never decreases");
    this.#hardState = hardState;
  }

  /** In place of log and state, in one step. */
  #install({ last, configuration, state }: SnapshotContent): void {
    assert(last.index > this.#state.applied, "a snapshot that is installed brings something new");
    assert(state.applied === last.index, "a snapshot's state is that of its last entry");
    assert(configuration.voters.length > 0, "a snapshot tells who takes part");
    this.log.restart(last);
    this.#configurations = new ConfigurationHistory({ index: last.index, configuration });
    this.#state = state;
  }
}

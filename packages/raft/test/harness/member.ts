import { assert } from "../../src/assert.ts";
import type { RaftConfig } from "../../src/config.ts";
import type { ConfigurationAt } from "../../src/configuration/configuration.ts";
import { formatEntryId } from "../../src/format.ts";
import { checkState, checkStep, type Observation } from "../../src/invariants.ts";
import type { Snapshot } from "../../src/log.ts";
import { RaftNode } from "../../src/node.ts";
import type { PersistBatch } from "../../src/ready.ts";
import type { TraceEvent } from "../../src/trace.ts";
import {
  type Entry,
  type EntryId,
  indexAfter,
  type LogIndex,
  type ReadContext,
  type Term,
} from "../../src/types.ts";
import type { Disk, SnapshotContent } from "./disk.ts";
import { type State, stateAfter } from "./state-machine.ts";

/** What a disk does with a write: ends it at once, or when it is told to. */
export type DiskSpeed = "fast" | "slow";

/** A node with its disk and state machine, as long as it runs. A restart makes a new one of the same disk. */
export class Member {
  readonly node: RaftNode;
  readonly disk: Disk;
  speed: DiskSpeed;
  /** The core's batch that is being written, if one is. */
  batch: PersistBatch | undefined;
  /** What happened in the core since it was last asked. */
  readonly #trace: TraceEvent[] = [];
  /** Confirmed reads that wait until their index is applied. */
  readonly #reads: { readonly context: ReadContext; readonly index: LogIndex }[] = [];
  /** The content of the snapshot that the core took last, until it is installed. */
  #received: SnapshotContent | undefined;
  #state: State;
  #seen: Observation;
  #configuration: ConfigurationAt;

  constructor(config: RaftConfig, disk: Disk) {
    this.disk = disk;
    this.speed = "fast";
    this.#state = disk.state;
    const trace = (event: TraceEvent): void => {
      this.#trace.push(event);
    };
    const { log, hardState, state } = disk;
    const restored = { log, hardState, applied: state.applied, configurations: disk.configurations.all() };
    this.node = new RaftNode({ ...config, trace }, restored);
    this.#seen = checkState(this.node);
    this.#configuration = this.node.status().configuration;
  }

  get seen(): Observation {
    return this.#seen;
  }

  get term(): Term {
    return this.#seen.term;
  }

  get applied(): LogIndex {
    return this.#state.applied;
  }

  get state(): State {
    return this.#state;
  }

  /** The one in force when the node was last checked: by it was decided what has happened since. */
  get configuration(): ConfigurationAt {
    return this.#configuration;
  }

  /** Asserts every invariant of a node. */
  check(): void {
    this.#seen = checkStep(this.#seen, this.node);
  }

  /** What happens from now on goes by the configuration that is in force now. */
  settle(): void {
    this.#configuration = this.node.status().configuration;
  }

  /** The log as the core sees it, stored or not. */
  log(): readonly EntryId[] {
    const { first, last } = this.node.observe();
    return Array.from({ length: last.index - first + 1 }, (_, position) => {
      const index = indexAfter(first, position);
      const term = this.node.termAt(index);
      assert(term !== undefined, "every index of the log has a term");
      return { index, term };
    });
  }

  /** A node all of whose log is on disk goes by what the disk says. */
  checkStored(): void {
    const { stable, last } = this.node.observe();
    if (stable !== last.index) return;
    const { index } = this.node.status().configuration;
    const stored = this.disk.configurations.latest.index;
    assert(index === stored, "the configuration in force is the last one in the log");
  }

  takeTrace(): readonly TraceEvent[] {
    return this.#trace.splice(0);
  }

  /** The state machine applies the entry after the last one, and no other. */
  apply(entry: Entry): void {
    this.#state = stateAfter(this.#state, entry);
  }

  /** The core takes a snapshot, in place of one that it took before. */
  received(content: SnapshotContent): void {
    this.#received = content;
  }

  /** The content of a snapshot that the core wants to be installed. */
  contentOf({ last }: Snapshot): SnapshotContent {
    const content = this.#received;
    const isIt = content?.last.index === last.index && content.last.term === last.term;
    assert(content !== undefined && isIt, `what is installed was received: ${formatEntryId(last)}`);
    return content;
  }

  /** The disk has taken the snapshot in place of log and state. */
  installed({ state }: SnapshotContent): void {
    assert(state.applied > this.#state.applied, "a snapshot is ahead of the state that it replaces");
    this.#state = state;
  }

  readConfirmed(context: ReadContext, index: LogIndex): void {
    this.#reads.push({ context, index });
  }

  /** Takes the confirmed reads that the state machine can serve now. */
  takeServable(): readonly { readonly context: ReadContext; readonly index: LogIndex }[] {
    const servable = this.#reads.filter(({ index }) => index <= this.#state.applied);
    for (const read of servable) this.#reads.splice(this.#reads.indexOf(read), 1);
    return servable;
  }
}

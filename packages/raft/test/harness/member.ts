import { assert } from "../../src/assert.ts";
import type { RaftConfig } from "../../src/config.ts";
import { checkState, checkStep, type Observation } from "../../src/invariants.ts";
import { RaftNode } from "../../src/node.ts";
import type { PersistBatch } from "../../src/ready.ts";
import type { TraceEvent } from "../../src/trace.ts";
import { type Entry, indexAfter, type LogIndex, type ReadContext, type Term } from "../../src/types.ts";
import type { Disk } from "./disk.ts";

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
  #applied: LogIndex;
  #seen: Observation;

  constructor(config: RaftConfig, disk: Disk, speed: DiskSpeed) {
    this.disk = disk;
    this.speed = speed;
    this.#applied = disk.applied;
    const trace = (event: TraceEvent): void => {
      this.#trace.push(event);
    };
    this.node = new RaftNode({ ...config, trace }, disk.log, disk.hardState, disk.applied);
    this.#seen = checkState(this.node);
  }

  get seen(): Observation {
    return this.#seen;
  }

  get term(): Term {
    return this.#seen.term;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  /** Asserts every invariant of a node. */
  check(): void {
    this.#seen = checkStep(this.#seen, this.node);
  }

  takeTrace(): readonly TraceEvent[] {
    return this.#trace.splice(0);
  }

  /** The state machine applies the entry after the last one, and no other. */
  apply(entry: Entry): void {
    assert(entry.index === indexAfter(this.#applied), "entries are applied in order, exactly once");
    this.#applied = entry.index;
  }

  readConfirmed(context: ReadContext, index: LogIndex): void {
    this.#reads.push({ context, index });
  }

  /** Takes the confirmed reads that the state machine can serve now. */
  takeServable(): readonly { readonly context: ReadContext; readonly index: LogIndex }[] {
    const servable = this.#reads.filter(({ index }) => index <= this.#applied);
    for (const read of servable) this.#reads.splice(this.#reads.indexOf(read), 1);
    return servable;
  }
}

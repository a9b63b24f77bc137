/**
 * Watches over the batch that is out to the log. A disk that hangs says nothing, neither good nor bad; its
 * member would lead for ever, taking what it can never answer. So after an election timeout a leader lets
 * another one lead, as if its followers had not heard of it for as long.
 */
import type { RaftNode } from "@dkv/raft";
import type { Logger } from "pino";
import type { PeerTransport } from "../transport/peer-transport.ts";
import { successorIn } from "./successor.ts";

/** Whether a leader may propose: the disk waits for a batch, has one, or has had one for too long. */
export type DiskState = "idle" | "busy" | "stalled";

export interface DiskWatchDeps {
  readonly node: RaftNode;
  readonly transport: Pick<PeerTransport, "peers">;
  readonly logger: Logger;
  /** A batch that is out at so many ticks on end stalls the disk. */
  readonly patienceTicks: number;
}

export class DiskWatch {
  readonly #deps: DiskWatchDeps;
  /**
   * Ticks since the batch left; undefined while there is none. Ticks, and not the time of day: a process that
   * was paused has not waited for its disk.
   */
  #ticksOut: number | undefined;
  #isHandingOver = false;

  constructor(deps: DiskWatchDeps) {
    this.#deps = deps;
  }

  get state(): DiskState {
    if (this.#ticksOut === undefined) return "idle";
    return this.#ticksOut < this.#deps.patienceTicks ? "busy" : "stalled";
  }

  /** Whether another member has been asked to lead because of the batch that is out. */
  get isHandingOver(): boolean {
    return this.#isHandingOver;
  }

  /** Not one with a snapshot: to install that takes its time, and does not mean that the disk hangs. */
  batchLeft(): void {
    this.#ticksOut = 0;
  }

  batchStored(): void {
    this.#ticksOut = undefined;
    this.#isHandingOver = false;
  }

  /** A tick passes. Every election timeout that the disk stays silent, a leader looks for a successor. */
  tick(): void {
    if (this.#ticksOut === undefined) return;
    this.#ticksOut += 1;
    const { patienceTicks } = this.#deps;
    if (this.#ticksOut % patienceTicks === 0) this.#handOver();
    if (this.#ticksOut === patienceTicks) {
      const { role } = this.#deps.node.status();
      this.#deps.logger.warn(
        { role, handingOver: this.#isHandingOver },
        "the disk has not stored a log batch for an election timeout",
      );
    }
  }

  #handOver(): void {
    const { node, transport } = this.#deps;
    const successor = successorIn(node.status(), transport);
    this.#isHandingOver = successor !== undefined && node.transferLeadership(successor).kind === "accepted";
  }
}

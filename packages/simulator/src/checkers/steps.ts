/**
 * Each step of each node: the core's own invariants, among them that a leader only appends, that commit and
 * applied index never go back, and that within a term the vote is given once. Over restarts as well: what a
 * process knew that was durable, the next one on that machine knows.
 */
import { checkState, checkStep, type Observation, type RaftNode } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

/** What a machine has promised to remember. */
interface Promised {
  readonly term: number;
  readonly votedFor: bigint | undefined;
}

export class Steps {
  readonly #before = new WeakMap<RaftNode, Observation>();

  /** Returns what was seen. */
  step(node: RaftNode): Observation {
    const before = this.#before.get(node);
    const after = before === undefined ? checkState(node) : checkStep(before, node);
    this.#before.set(node, after);
    return after;
  }

  /** @param durable what the disk said of its hard state when the process before ended */
  restarted(node: RaftNode, durable: Promised): void {
    const { term, votedFor } = node.observe();
    if (term < durable.term) throw new SafetyViolation("a restart took a term back");
    if (term === durable.term && votedFor !== durable.votedFor && durable.votedFor !== undefined)
      throw new SafetyViolation("a restart forgot a vote");
  }
}

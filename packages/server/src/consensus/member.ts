/** The face that a member shows to the doors: all that they know of consensus and store. */
import type { NodeId, RoleName, Term, LogIndex } from "@dkv/raft";
import type { ApplyResult, KeyValue, Operation } from "@dkv/store";

export interface MemberStatus {
  readonly clusterId: bigint;
  readonly memberId: NodeId;
  readonly name: string;
  readonly role: RoleName;
  readonly term: Term;
  /** Name of the leader this member follows (itself, if it leads); empty while there is none. */
  readonly leader: string;
  readonly leaderId: NodeId | undefined;
  readonly appliedIndex: LogIndex;
  /** Revision of the store. */
  readonly revision: number;
}

/** A row of the membership table with what is known of it here and now. */
export interface MemberView {
  readonly id: NodeId;
  readonly name: string;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly isLeader: boolean;
  readonly isReachable: boolean;
}

export interface Member {
  /**
   * Proposes, and resolves with what applying it gave on this member. On a follower the command goes to
   * the leader. Rejects with a DkvError whose `retry` says what is known of the outcome.
   *
   * @param timeoutMs how long the caller is willing to wait; the member's own limit is the upper bound.
   */
  propose(operation: Operation, timeoutMs?: number): Promise<ApplyResult>;
  /**
   * Resolves when everything acknowledged anywhere before the call can be read here. Rejects with a DkvError.
   */
  readBarrier(timeoutMs?: number): Promise<void>;
  /** Reads local state, applied changes included that are not yet on disk. */
  get(key: Uint8Array): KeyValue | undefined;
  status(): MemberStatus;
  members(): readonly MemberView[];
}

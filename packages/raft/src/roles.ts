/**
 * The role a node plays is a value that owns what only that role has: a follower cannot look at votes,
 * and what a leader knew is gone when it steps down. Source: Raft §5.1, Figure 4; Diss. §9.6.
 */
import type { LeadershipTransfer } from "./leadership-transfer.ts";
import type { ForwardedReads, ReadRounds } from "./read-index.ts";
import type { Tracker } from "./tracker/tracker.ts";
import type { LogIndex, NodeId } from "./types.ts";

/** Counts up to a time drawn anew for each role. Source: Raft §5.2. */
export interface ElectionTimer {
  elapsed: number;
  /** In [electionTicks, 2 * electionTicks); after a lost campaign electionTicks / 4 or more. */
  readonly timeout: number;
}

export interface FollowerRole {
  readonly kind: "follower";
  /** Undefined until the leader of this term has been heard. */
  readonly leader: NodeId | undefined;
  readonly election: ElectionTimer;
  readonly reads: ForwardedReads;
}

/** Asks whether a campaign could win, in its old term. */
export interface PreCandidateRole {
  readonly kind: "preCandidate";
  readonly votes: Map<NodeId, boolean>;
  readonly election: ElectionTimer;
}

export interface CandidateRole {
  readonly kind: "candidate";
  readonly votes: Map<NodeId, boolean>;
  readonly election: ElectionTimer;
}

export interface LeaderRole {
  readonly kind: "leader";
  readonly tracker: Tracker;
  readonly reads: ReadRounds;
  /** Index of the empty entry with which this term began; everything from there on is of this term. */
  readonly firstOfTerm: LogIndex;
  /** Ticks since the election. */
  now: number;
  heartbeatElapsed: number;
  isHeartbeatDue: boolean;
  /** Bytes of own proposals not yet handed out as committed. */
  uncommittedBytes: number;
  transfer: LeadershipTransfer | undefined;
}

export type Role = FollowerRole | PreCandidateRole | CandidateRole | LeaderRole;

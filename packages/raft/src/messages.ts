/**
 * Everything that nodes say to each other, in the words of the paper. Each kind holds only its own
 * fields; adding a kind makes every switch over {@link Message} fail to compile.
 */
import type { Entry, EntryId, LogIndex, NodeId, ReadContext, Term } from "./types.ts";

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term; for a pre-vote the term it would campaign in. */
  readonly term: Term;
}

/** Asks whether a campaign could win, without disturbing anyone's term. Source: Diss. §9.6. */
export interface PreVoteRequest extends Envelope {
  readonly kind: "preVoteRequest";
  readonly lastEntry: EntryId;
}

export interface PreVoteResponse extends Envelope {
  readonly kind: "preVoteResponse";
  readonly granted: boolean;
}

/** Asks for a vote. Source: Raft Fig. 2, RequestVote RPC. */
export interface VoteRequest extends Envelope {
  readonly kind: "voteRequest";
  /** Last entry of the candidate's log; the voter compares it with its own (§5.4.1). */
  readonly lastEntry: EntryId;
  /** The leader asked for this campaign, so stickiness does not apply. Source: Diss. §3.10, §4.2.3. */
  readonly leadershipTransfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly kind: "voteResponse";
  readonly granted: boolean;
}

/** Replicates entries, or probes for the place where logs agree. Source: Raft Fig. 2, AppendEntries RPC. */
export interface AppendEntries extends Envelope {
  readonly kind: "appendEntries";
  readonly prev: EntryId;
  /** Contiguous from prev.index + 1. */
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

/** The follower's log equals the leader's up to `match`, on disk. */
export interface AppendAccepted extends Envelope {
  readonly kind: "appendAccepted";
  readonly match: LogIndex;
}

/** The follower has no entry `prev` of that term. */
export interface AppendRejected extends Envelope {
  readonly kind: "appendRejected";
  /** The request's prev.index, so that a late answer can be told from a fresh one. */
  readonly prevIndex: LogIndex;
  /** Largest entry at or before prev whose term is not above prev's: the logs cannot agree above it. */
  readonly hint: EntryId;
}

/** Keeps followers quiet, carries the commit index and confirms reads. Source: Raft §5.2, Diss. §6.4. */
export interface Heartbeat extends Envelope {
  readonly kind: "heartbeat";
  /** Never above the follower's match: it may hold other entries beyond that. */
  readonly commit: LogIndex;
  /** The leader's running number, within its term, of the newest read that waits. */
  readonly readRound: number | undefined;
}

export interface HeartbeatResponse extends Envelope {
  readonly kind: "heartbeatResponse";
  /** As in the heartbeat. */
  readonly readRound: number | undefined;
}

/** The leader asks a caught-up follower to campaign at once. Source: Diss. §3.10. */
export interface TimeoutNow extends Envelope {
  readonly kind: "timeoutNow";
}

/** A follower asks the leader for a read index. Source: Diss. §6.4. */
export interface ReadIndexRequest extends Envelope {
  readonly kind: "readIndexRequest";
  readonly context: ReadContext;
}

export interface ReadIndexResponse extends Envelope {
  readonly kind: "readIndexResponse";
  readonly context: ReadContext;
  /** The read may be served once this index is applied. */
  readonly index: LogIndex;
}

export type Message =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | AppendEntries
  | AppendAccepted
  | AppendRejected
  | Heartbeat
  | HeartbeatResponse
  | TimeoutNow
  | ReadIndexRequest
  | ReadIndexResponse;

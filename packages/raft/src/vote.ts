import type { PreVoteRequest, VoteRequest } from "./messages.ts";
import type { VoteRefusal } from "./trace.ts";
import type { EntryId, NodeId, Term } from "./types.ts";

export type VoteDecision =
  | { readonly kind: "grant" }
  | { readonly kind: "refuse"; readonly because: VoteRefusal };

/** What a voter's decision depends on. */
export interface Voter {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  readonly lastEntry: EntryId;
  /** Whether it heard from a leader within the least election timeout, or is one. */
  readonly hearsLeader: boolean;
}

/**
 * Whether a log that ends with `theirs` holds at least as much as one that ends with `ours`: the later
 * last term wins, and of two equal ones the longer log. Source: Raft §5.4.1.
 */
export function isUpToDate(theirs: EntryId, ours: EntryId): boolean {
  if (theirs.term !== ours.term) return theirs.term > ours.term;
  return theirs.index >= ours.index;
}

/**
 * Decides a vote in the voter's current term; the caller has settled the terms. Pure. Source: Raft Fig. 2,
 * RequestVote RPC.
 */
export function decideVote(request: VoteRequest, voter: Voter): VoteDecision {
  if (request.term < voter.term) return { kind: "refuse", because: "staleTerm" };
  if (voter.votedFor !== undefined && voter.votedFor !== request.from) {
    return { kind: "refuse", because: "votedForOther" };
  }
  return decideByLog(request.lastEntry, voter);
}

/**
 * Decides whether this voter would vote for a candidate in the term it asks for. Promises nothing, so
 * the vote in the current term matters only if that is the term in question. Pure. Source: Diss. §9.6.
 */
export function decidePreVote(request: PreVoteRequest, voter: Voter): VoteDecision {
  if (request.term < voter.term) return { kind: "refuse", because: "staleTerm" };
  if (voter.hearsLeader) return { kind: "refuse", because: "leaderAlive" };
  const isTaken = voter.votedFor !== undefined && voter.votedFor !== request.from;
  if (request.term === voter.term && isTaken) return { kind: "refuse", because: "votedForOther" };
  return decideByLog(request.lastEntry, voter);
}

function decideByLog(theirs: EntryId, voter: Voter): VoteDecision {
  return isUpToDate(theirs, voter.lastEntry) ? { kind: "grant" } : { kind: "refuse", because: "logBehind" };
}

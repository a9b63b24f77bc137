/**
 * What must be true of a node after every event, and of every step from one event to the next. The
 * assertions in the code check each fact where it could first become false; these look at the whole.
 */
import { assert } from "./assert.ts";
import type { RaftNode } from "./node.ts";
import type { Progress } from "./tracker/progress.ts";
import { type EntryId, indexAfter, type LogIndex, type NodeId, type RoleName, type Term } from "./types.ts";

/** A node seen from outside, at one moment. */
export interface Observation {
  readonly id: NodeId;
  readonly role: RoleName;
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  readonly leader: NodeId | undefined;
  readonly committed: EntryId;
  readonly handedOut: LogIndex;
  readonly stable: LogIndex;
  /** The log's first index; one more than a snapshot's last, from the moment that it is taken. */
  readonly first: LogIndex;
  readonly last: EntryId;
  /** What a leader believes about its followers; empty otherwise. */
  readonly progress: readonly Pick<Progress, "match" | "next">[];
}

/** Asserts what must be true at every moment. Returns what was seen, for {@link checkStep}. */
export function checkState(node: RaftNode): Observation {
  const seen = node.observe();
  assert(seen.handedOut <= seen.committed.index, "handedOut <= committed");
  assert(seen.handedOut <= seen.stable, "handedOut <= stable");
  assert(seen.committed.index <= seen.last.index, "committed <= last");
  assert(seen.stable <= seen.last.index, "stable <= last");
  assert(seen.last.term <= seen.term, "no entry is of a later term than the node");
  checkRole(seen);
  return seen;
}

function checkRole({ id, role, term, votedFor, leader, last, progress }: Observation): void {
  if (role === "leader") {
    assert(leader === id, "a leader knows itself as leader");
    assert(last.term === term, "a leader's last entry is of its own term");
  } else {
    assert(leader !== id, "only a leader follows itself");
  }
  if (role === "leader" || role === "candidate")
    assert(votedFor === id, "a candidate and a leader have voted for themselves");
  for (const { match, next } of progress) {
    assert(match < next, "match < next");
    assert(match <= last.index, "match <= last");
    assert(next <= indexAfter(last.index), "next <= last + 1");
  }
}

/** Asserts what must be true of the way from `before` to what the node is now. Returns the latter. */
export function checkStep(before: Observation, node: RaftNode): Observation {
  const after = checkState(node);
  assert(after.id === before.id, "a node keeps its identity");
  assert(after.term >= before.term, "the term never decreases");
  if (after.term === before.term) checkSameTerm(before, after);
  assert(after.committed.index >= before.committed.index, "the commit index never decreases");
  assert(after.first >= before.first, "what was dropped from the log does not come back");
  const termNow = node.termAt(before.committed.index);
  assert(
    termNow === before.committed.term || before.committed.index < after.first,
    "committed entries are never replaced",
  );
  assert(after.handedOut >= before.handedOut, "what was handed out stays handed out");
  return after;
}

function checkSameTerm(before: Observation, after: Observation): void {
  if (before.votedFor !== undefined)
    assert(after.votedFor === before.votedFor, "within a term the vote is given once");
  if (before.leader !== undefined && after.leader !== undefined) {
    assert(after.leader === before.leader, "the leader of a term never changes");
  }
  if (before.role === "leader" && after.role === "leader") {
    assert(after.last.index >= before.last.index, "a leader only appends to its log");
  }
}

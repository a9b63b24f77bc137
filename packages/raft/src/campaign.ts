import { assert } from "./assert.ts";
import type { PreVoteResponse, VoteResponse } from "./messages.ts";
import { jointVote } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import type { CandidateRole, PreCandidateRole } from "./roles.ts";
import { type NodeId, nextTerm } from "./types.ts";

/**
 * Asks the others whether they would vote for us, before a term is spent on it: a node that was cut off,
 * or whose log is behind, cannot win and must not unseat a leader that works. Source: Diss. §9.6.
 */
export function startPreVote(raft: Raft): void {
  if (!raft.mayCampaign) return;
  raft.becomePreCandidate();
  const { term, id, log } = raft;
  for (const to of otherVoters(raft)) {
    raft.send({ kind: "preVoteRequest", from: id, to, term: nextTerm(term), lastEntry: log.lastEntry });
  }
  settle(raft);
}

/**
 * What set off a campaign. A leader that asked for it overrides its followers' patience. Source: Diss.
 * §4.2.3.
 */
export type CampaignReason = "preVoteWon" | "leadershipTransfer";

/**
 * Spends a term: votes for itself and asks the others. Its own vote counts when it is on disk, as everybody
 * else's does: the only voter could otherwise win a term, forget it in a crash, and win it once more. So with
 * a disk that takes an election timeout for each write nobody is elected: the next term begins before the
 * vote of this one is stored. Source: Raft §5.2, Fig. 2 (persistent state).
 */
export function startCampaign(raft: Raft, reason: CampaignReason): void {
  if (!raft.mayCampaign) return;
  raft.becomeCandidate();
  const { term, id, log } = raft;
  const leadershipTransfer = reason === "leadershipTransfer";
  for (const to of otherVoters(raft)) {
    raft.send({ kind: "voteRequest", from: id, to, term, lastEntry: log.lastEntry, leadershipTransfer });
  }
}

/** The candidate's own vote is on its disk. */
export function ownVoteStored(raft: Raft, role: CandidateRole): void {
  if (role.votes.has(raft.id)) return;
  role.votes.set(raft.id, true);
  settle(raft);
}

/** Of both groups, while there are two. */
function otherVoters({ configuration: { voters, outgoing }, id }: Raft): ReadonlySet<NodeId> {
  const others = new Set([...voters, ...outgoing]);
  others.delete(id);
  return others;
}

/** Counts an answer; the first of each voter counts. */
export function countVote(
  raft: Raft,
  role: PreCandidateRole | CandidateRole,
  response: PreVoteResponse | VoteResponse,
): void {
  if (role.votes.has(response.from)) {
    raft.ignore(response, "oldNews");
    return;
  }
  role.votes.set(response.from, response.granted);
  settle(raft);
}

/** Moves on once the outcome is clear. In a cluster of one it is clear once its own vote counts. */
function settle(raft: Raft): void {
  const { role } = raft;
  assert(
    role.kind === "preCandidate" || role.kind === "candidate",
    "votes are counted by those who asked for them",
  );
  switch (jointVote(raft.configuration, (voter) => role.votes.get(voter))) {
    case "pending":
      return;
    case "lost":
      raft.giveUpCampaign();
      return;
    case "won":
      if (role.kind === "preCandidate") startCampaign(raft, "preVoteWon");
      else raft.becomeLeader();
  }
}

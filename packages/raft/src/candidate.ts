/** What a pre-candidate and a candidate do with each message of their term. Source: Raft §5.2, Diss. §9.6. */
import { countVote, startPreVote } from "./campaign.ts";
import { onAppendEntries, onHeartbeat } from "./follower.ts";
import type { AppendEntries, Heartbeat, Message } from "./messages.ts";
import type { Raft } from "./raft.ts";
import type { CandidateRole, PreCandidateRole } from "./roles.ts";

/** Asks again when nobody has won in time: split votes resolve by the randomness of that time. */
export function tickCandidate(raft: Raft, role: PreCandidateRole | CandidateRole): void {
  role.election.elapsed += 1;
  if (role.election.elapsed >= role.election.timeout) startPreVote(raft);
}

export function stepCandidate(raft: Raft, role: PreCandidateRole | CandidateRole, message: Message): void {
  switch (message.kind) {
    case "appendEntries":
    case "heartbeat":
      followInstead(raft, message);
      return;
    case "preVoteResponse":
      if (role.kind === "preCandidate") countVote(raft, role, message);
      else raft.ignore(message, "oldNews");
      return;
    case "voteResponse":
      if (role.kind === "candidate") countVote(raft, role, message);
      else raft.ignore(message, "oldNews");
      return;
    default:
      raft.ignore(message, "wrongRole");
  }
}

/** Somebody else leads this term. */
function followInstead(raft: Raft, message: AppendEntries | Heartbeat): void {
  raft.becomeFollower(message.from);
  if (message.kind === "heartbeat") onHeartbeat(raft, message);
  else onAppendEntries(raft, message);
}

/** What two groups of voters have agreed on, each by a majority of its own. Source: Diss. §4.3. */
import type { VoterGroups } from "../configuration/configuration.ts";
import type { NodeId } from "../types.ts";
import { majorityReached, majorityVote, type VoteOutcome } from "./majority.ts";

/** The highest count that a majority of each group has reached. */
export function jointReached<Count extends number>(
  { voters, outgoing }: VoterGroups,
  reached: (voter: NodeId) => Count,
): Count {
  const incoming = majorityReached(voters, reached);
  if (outgoing.length === 0) return incoming;
  const leaving = majorityReached(outgoing, reached);
  return Math.min(incoming, leaving) as Count;
}

/** Won once both groups said yes, lost once either cannot any more. */
export function jointVote(
  { voters, outgoing }: VoterGroups,
  voteOf: (voter: NodeId) => boolean | undefined,
): VoteOutcome {
  const incoming = majorityVote(voters, voteOf);
  if (outgoing.length === 0) return incoming;
  const leaving = majorityVote(outgoing, voteOf);
  if (incoming === leaving) return incoming;
  return incoming === "lost" || leaving === "lost" ? "lost" : "pending";
}

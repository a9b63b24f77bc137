/**
 * What one group of voters has agreed on. Knows nothing of messages or roles; a configuration with two
 * groups would ask each and combine the answers.
 */
import { assert } from "../assert.ts";
import type { NodeId } from "../types.ts";

export type VoteOutcome = "won" | "lost" | "pending";

/** Reused by each call: this runs for every acknowledgement. */
const descending: number[] = [];

/** The least number of voters such that any two groups of that size share one. */
export function majoritySize(voters: readonly NodeId[]): number {
  return Math.floor(voters.length / 2) + 1;
}

/**
 * The highest count that a majority of `voters` has reached, for example the index that it stores.
 *
 * Says only "a majority holds it", not "it is committed": the rule about terms (Raft §5.4.2) is the
 * caller's.
 */
export function majorityReached<Count extends number>(
  voters: readonly NodeId[],
  reached: (voter: NodeId) => Count,
): Count {
  assert(voters.length > 0, "a configuration has at least one voter");
  descending.length = 0;
  for (const voter of voters) insertDescending(reached(voter));
  return descending[majoritySize(voters) - 1] as Count;
}

function insertDescending(count: number): void {
  let place = descending.length;
  descending.push(count);
  for (; place > 0; place -= 1) {
    const before = descending[place - 1];
    if (before === undefined || before >= count) break;
    descending[place] = before;
  }
  descending[place] = count;
}

/**
 * How a vote stands: won once a majority said yes, lost once it no longer can.
 * `voteOf` answers undefined for a voter that has not answered.
 */
export function majorityVote(
  voters: readonly NodeId[],
  voteOf: (voter: NodeId) => boolean | undefined,
): VoteOutcome {
  assert(voters.length > 0, "a configuration has at least one voter");
  let yes = 0;
  let open = 0;
  for (const voter of voters) {
    const vote = voteOf(voter);
    if (vote === undefined) open += 1;
    else if (vote) yes += 1;
  }
  const needed = majoritySize(voters);
  if (yes >= needed) return "won";
  return yes + open >= needed ? "pending" : "lost";
}

/**
 * Who takes part. A configuration is a value of the log: each entry of kind "configuration" carries the
 * whole one that it makes, and it is in force as soon as it is appended. Source: Diss. §4.1.
 *
 *   voters     decide: elections, commits and reads need a majority of them
 *   outgoing   the voters of the configuration that is being left; while there are any, every decision
 *              needs a majority of both groups (joint consensus, Diss. §4.3)
 *   learners   get the log and decide nothing (Diss. §4.2.1)
 */
import type { LogIndex, NodeId } from "../types.ts";

export interface Configuration {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** The caller's own, carried along. The core never looks inside. */
  readonly context: Uint8Array;
}

/** A configuration and the index of the entry that made it. */
export interface ConfigurationAt {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/** Two groups that must both agree, or one if nothing is being left. */
export type VoterGroups = Pick<Configuration, "voters" | "outgoing">;

const nothing = new Uint8Array(0);

/** Nobody takes part yet: what a node starts with that waits to be added to a cluster. */
export const noMembers: Configuration = { voters: [], outgoing: [], learners: [], context: nothing };

/** The configuration that a new cluster begins with. */
export function initialConfiguration(
  voters: readonly NodeId[],
  context: Uint8Array = nothing,
): Configuration {
  return { voters, outgoing: [], learners: [], context };
}

/** Whether two groups of voters have to agree. */
export const isJoint = ({ outgoing }: VoterGroups): boolean => outgoing.length > 0;

export function isVoter({ voters, outgoing }: VoterGroups, id: NodeId): boolean {
  return voters.includes(id) || outgoing.includes(id);
}

/** Everybody who gets the log, each once, voters first. */
export function membersOf({ voters, outgoing, learners }: Configuration): ReadonlySet<NodeId> {
  return new Set([...voters, ...outgoing, ...learners]);
}

/**
 * Why a configuration can be none: a text for an assertion; undefined if it is sound. A voter that becomes a
 * learner may stand among the learners already while its group is being left: it is a voter until then.
 */
export function flawOf({ voters, outgoing, learners }: Configuration): string | undefined {
  for (const group of [voters, outgoing, learners])
    if (new Set(group).size !== group.length) return "a member is listed once in its group";
  if (learners.some((id) => voters.includes(id))) return "a learner is no voter";
  if (voters.length === 0 && (outgoing.length > 0 || learners.length > 0))
    return "a configuration with members has a voter";
  return undefined;
}

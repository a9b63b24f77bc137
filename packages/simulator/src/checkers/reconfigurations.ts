/**
 * Changes of the members: one at a time, only once the leader has committed in its own term, and never so
 * that the majorities before and after can miss each other. Source: Diss. §4.1, §4.3, and Ongaro's erratum of
 * 2015.
 */
import type { Configuration, ConfigurationAt, LogIndex, NodeId, Term } from "@dkv/raft";
import { SafetyViolation } from "./truth.ts";

/** A leader right after it has appended a configuration. */
export interface Change {
  readonly term: Term;
  readonly before: ConfigurationAt;
  readonly after: ConfigurationAt;
  readonly committed: { readonly index: LogIndex; readonly term: Term };
}

export function checkChange({ term, before, after, committed }: Change): void {
  const what = `the configuration at ${String(after.index)}`;
  if (committed.index < before.index)
    throw new SafetyViolation(`${what} was appended before the one at ${String(before.index)} was committed`);
  if (committed.term !== term)
    throw new SafetyViolation(`${what} was appended before its leader had committed in its term`);
  if (!overlap(before.configuration, after.configuration))
    throw new SafetyViolation(`${what} has majorities that do not meet those of the one before`);
}

function overlap(before: Configuration, after: Configuration): boolean {
  // A joint configuration decides by the majorities of both, so it meets whoever shares a group with it.
  const groupsOf = ({ voters, outgoing }: Configuration) => [
    voters,
    ...(outgoing.length > 0 ? [outgoing] : []),
  ];
  return groupsOf(before).some((a) => groupsOf(after).some((b) => majoritiesMeet(a, b)));
}

/** With at most one voter more or less, any two majorities have a member in common. */
function majoritiesMeet(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  const shared = a.filter((id) => b.includes(id)).length;
  const all = a.length + b.length - shared;
  return Math.floor(a.length / 2) + 1 + Math.floor(b.length / 2) + 1 > all;
}

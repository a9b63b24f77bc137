/**
 * Which configuration a change leads to. Pure.
 *
 *   one voter more or less   straight to the new one: any majority of the old and any of the new share a
 *                            member (Diss. §4.1)
 *   anything beyond          first the joint one, then, once that is committed, the new one (Diss. §4.3)
 *
 *        old ──────────────────────────▶ new
 *          └──▶ joint (old and new) ──────▲
 */
import { assert } from "../assert.ts";
import type { NodeId } from "../types.ts";
import { type Configuration, flawOf, isJoint } from "./configuration.ts";

/** What is asked for. Asking for what is so already changes nothing. */
export type MemberChange =
  /** A member that gets the log and decides nothing; a voter stays a voter. */
  | { readonly kind: "addLearner"; readonly id: NodeId }
  /** Promotes a learner, or adds a voter at once. */
  | { readonly kind: "addVoter"; readonly id: NodeId }
  | { readonly kind: "remove"; readonly id: NodeId };

export type ChangeOutcome =
  | { readonly kind: "changed"; readonly configuration: Configuration }
  | { readonly kind: "refused"; readonly because: "noVoterLeft" };

/**
 * The next configuration on the way to what `changes` ask for, with the new context. Requires that none is
 * joint.
 */
export function changed(
  before: Configuration,
  changes: readonly MemberChange[],
  context: Uint8Array,
): ChangeOutcome {
  assert(!isJoint(before), "one change is finished before the next begins");
  const voters = new Set(before.voters);
  const learners = new Set(before.learners);
  for (const { kind, id } of changes) {
    if (kind === "addLearner" && voters.has(id)) continue;
    voters.delete(id);
    learners.delete(id);
    if (kind === "addVoter") voters.add(id);
    if (kind === "addLearner") learners.add(id);
  }
  if (voters.size === 0) return { kind: "refused", because: "noVoterLeft" };
  const after = inOrder(before, voters, learners);
  const outgoing = votersThatDiffer(before.voters, after.voters) > 1 ? before.voters : [];
  const configuration = { ...after, outgoing, context };
  assertSound(configuration);
  return { kind: "changed", configuration };
}

/** What a joint configuration leads to. */
export function left(joint: Configuration): Configuration {
  assert(isJoint(joint), "only a joint configuration is left");
  const configuration = { ...joint, outgoing: [] };
  assertSound(configuration);
  return configuration;
}

function assertSound(configuration: Configuration): void {
  const flaw = flawOf(configuration);
  assert(flaw === undefined, flaw ?? "");
}

/**
 * Who stays keeps their place, who is new comes last: the same change gives the same configuration
 * everywhere.
 */
function inOrder(
  before: Configuration,
  voters: ReadonlySet<NodeId>,
  learners: ReadonlySet<NodeId>,
): Pick<Configuration, "voters" | "learners"> {
  const known = [...before.voters, ...before.learners];
  const ordered = (group: ReadonlySet<NodeId>): NodeId[] => [
    ...known.filter((id) => group.has(id)),
    ...[...group].filter((id) => !known.includes(id)),
  ];
  return { voters: ordered(voters), learners: ordered(learners) };
}

function votersThatDiffer(before: readonly NodeId[], after: readonly NodeId[]): number {
  const gone = before.filter((id) => !after.includes(id)).length;
  const added = after.filter((id) => !before.includes(id)).length;
  return gone + added;
}

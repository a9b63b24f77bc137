/**
 * Changing who takes part, at the leader. Source: Diss. §4.
 *
 *   1. propose     only after an entry of the leader's own term is committed (Ongaro's erratum: two leaders
 *                  could otherwise change one voter each, by majorities without a common member), and one
 *                  change at a time
 *   2. append      the new configuration is in force from here on, at every member that has the entry
 *   3. committed   a joint configuration is left by a second entry; a leader that has no vote any more has
 *                  done its last duty, and hands leadership over
 */
import { changed, left, type MemberChange } from "./configuration/change.ts";
import { encodeConfiguration } from "./configuration/codec.ts";
import { type Configuration, isJoint, isVoter } from "./configuration/configuration.ts";
import type { Raft } from "./raft.ts";
import type { LeaderRole } from "./roles.ts";
import type { Follower } from "./tracker/tracker.ts";
import { indexAfter, type LogIndex, type Term } from "./types.ts";

/** What became of a change. Accepted does not mean committed: another leader may replace the entry. */
export type ReconfigurationResult =
  | { readonly kind: "accepted"; readonly index: LogIndex; readonly term: Term }
  | {
      readonly kind: "dropped";
      readonly because:
        | "notLeader"
        | "transferring"
        | "notCommittedInTerm"
        | "changeInProgress"
        | "noVoterLeft";
    };

/** What a leader is asked to change. */
export interface Reconfiguration {
  readonly changes: readonly MemberChange[];
  /** The context of the new configuration. */
  readonly context: Uint8Array;
}

export function reconfigure(raft: Raft, role: LeaderRole, wish: Reconfiguration): ReconfigurationResult {
  const { log, term } = raft;
  const { index: since, configuration: before } = log.configurations.latest;
  if (role.transfer !== undefined) return { kind: "dropped", because: "transferring" };
  if (log.committed < role.firstOfTerm) return { kind: "dropped", because: "notCommittedInTerm" };
  // A joint configuration that is committed has been left in the same moment.
  if (log.committed < since) return { kind: "dropped", because: "changeInProgress" };
  const outcome = changed(before, wish.changes, wish.context);
  if (outcome.kind === "refused") return { kind: "dropped", because: outcome.because };
  return { kind: "accepted", index: append(raft, role, outcome.configuration), term };
}

/** More of the log was committed: goes on with a change whose entry is among it. */
export function continueReconfiguration(raft: Raft, role: LeaderRole): void {
  const { index, configuration } = raft.log.configurations.latest;
  if (raft.log.committed < index) return;
  if (isJoint(configuration)) append(raft, role, left(configuration));
  else if (!isVoter(configuration, raft.id)) stepAside(raft, role);
}

function append(raft: Raft, role: LeaderRole, configuration: Configuration): LogIndex {
  const { log, term } = raft;
  const index = indexAfter(log.lastIndex);
  const data = encodeConfiguration(configuration);
  role.uncommittedBytes += data.length;
  log.append([{ term, index, kind: "configuration", data }]);
  const { maxInflightMessages, maxInflightBytes } = raft.config;
  role.tracker.configure(configuration, { next: index, maxInflightMessages, maxInflightBytes }, role.now);
  raft.trace?.({ kind: "configurationAppended", index, configuration });
  return index;
}

/**
 * A leader without a vote would be deposed by nobody and elected by nobody. It asks the voter that holds most
 * of the log to campaign, so that the others need not wait for an election timeout. Source: Diss. §4.2.2.
 */
function stepAside(raft: Raft, role: LeaderRole): void {
  const { id: from, term, configuration } = raft;
  let best: Follower | undefined;
  for (const follower of role.tracker.followers) {
    if (!configuration.voters.includes(follower.id)) continue;
    if (best === undefined || follower.progress.match > best.progress.match) best = follower;
  }
  if (best !== undefined) raft.send({ kind: "timeoutNow", from, to: best.id, term });
  raft.trace?.({ kind: "notVoterAnyMore", term });
  raft.becomeFollower(undefined);
}

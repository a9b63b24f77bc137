/**
 * Handing leadership to a chosen follower. Source: Diss. §3.10.
 *
 *   1. the leader takes no more proposals, so that the follower can catch up
 *   2. once the follower's disk holds the whole log it is told to campaign at once, without a pre-vote
 *      and without waiting for the voters' patience with the old leader
 *   3. its higher term ends our leadership; if that does not happen within an election timeout, the
 *      leader goes on as before
 */
import type { Raft } from "./raft.ts";
import type { LeaderRole } from "./roles.ts";
import type { NodeId } from "./types.ts";

export interface LeadershipTransfer {
  readonly to: NodeId;
  elapsed: number;
  wasTold: boolean;
}

export type TransferResult =
  | { readonly kind: "accepted" }
  | {
      readonly kind: "dropped";
      readonly because: "notLeader" | "alreadyLeader" | "notVoter" | "transferring";
    };

/** Starts a transfer. Asking again for the one that is running is accepted and changes nothing. */
export function startTransfer(raft: Raft, role: LeaderRole, to: NodeId): TransferResult {
  if (to === raft.id) return { kind: "dropped", because: "alreadyLeader" };
  if (!raft.configuration.voters.includes(to)) return { kind: "dropped", because: "notVoter" };
  if (role.transfer !== undefined) {
    return role.transfer.to === to ? { kind: "accepted" } : { kind: "dropped", because: "transferring" };
  }
  role.transfer = { to, elapsed: 0, wasTold: false };
  raft.trace?.({ kind: "transferStarted", to });
  continueTransfer(raft, role);
  return { kind: "accepted" };
}

/** Tells the successor to campaign, once, as soon as it has caught up. */
export function continueTransfer(raft: Raft, role: LeaderRole): void {
  const { transfer } = role;
  if (transfer === undefined || transfer.wasTold) return;
  if (role.tracker.follower(transfer.to)?.progress.match !== raft.log.lastIndex) return;
  transfer.wasTold = true;
  raft.send({ kind: "timeoutNow", from: raft.id, to: transfer.to, term: raft.term });
}

/** A tick passes; a transfer that takes an election timeout is given up. */
export function tickTransfer(raft: Raft, role: LeaderRole): void {
  const { transfer } = role;
  if (transfer === undefined) return;
  transfer.elapsed += 1;
  if (transfer.elapsed < raft.config.electionTicks) return;
  role.transfer = undefined;
  raft.trace?.({ kind: "transferAborted", to: transfer.to });
}

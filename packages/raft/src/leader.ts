/** What a leader does with each message of its term, and with the wishes of its own node. */
import { assert } from "./assert.ts";
import { continueTransfer, tickTransfer } from "./leadership-transfer.ts";
import { totalBytes } from "./log.ts";
import type {
  AppendAccepted,
  AppendRejected,
  HeartbeatResponse,
  Message,
  ReadIndexRequest,
} from "./messages.ts";
import type { Raft } from "./raft.ts";
import type { ReadRequest } from "./read-index.ts";
import { continueReconfiguration } from "./reconfiguration.ts";
import type { LeaderRole } from "./roles.ts";
import type { Follower } from "./tracker/tracker.ts";
import { type Entry, indexAfter, type LogIndex, type NodeId, type Term } from "./types.ts";

/** What became of a proposal. Accepted does not mean committed: another leader may replace the entries. */
export type ProposeResult =
  /** One entry each, contiguously from `first`, all of `term`. */
  | { readonly kind: "accepted"; readonly first: LogIndex; readonly term: Term }
  | { readonly kind: "dropped"; readonly because: "notLeader" | "transferring" | "uncommittedLimit" };

/**
 * Sends heartbeats in time, and steps down when no majority was heard for an election timeout. Source: Diss.
 * §6.2.
 */
export function tickLeader(raft: Raft, role: LeaderRole): void {
  role.now += 1;
  const since = role.now - raft.config.electionTicks;
  if (!role.tracker.quorumHeard(since)) {
    raft.trace?.({ kind: "quorumLost", term: raft.term });
    raft.becomeFollower(undefined);
    return;
  }
  for (const { progress } of role.tracker.followers) progress.tick();
  tickTransfer(raft, role);
  role.heartbeatElapsed += 1;
  if (role.heartbeatElapsed < raft.config.heartbeatTicks) return;
  role.heartbeatElapsed = 0;
  role.isHeartbeatDue = true;
  for (const { progress } of role.tracker.followers) progress.heartbeatSent();
}

export function stepLeader(raft: Raft, role: LeaderRole, message: Message): void {
  const follower = role.tracker.follower(message.from);
  if (follower === undefined) {
    raft.ignore(message, "notMember");
    return;
  }
  follower.heardAt = role.now;
  switch (message.kind) {
    case "appendAccepted":
      onAppendAccepted(raft, { role, follower, message });
      return;
    case "appendRejected":
      onAppendRejected(raft, { role, follower, message });
      return;
    case "heartbeatResponse":
      onHeartbeatResponse(raft, { role, follower, message });
      return;
    case "readIndexRequest":
      onReadIndexRequest(raft, role, message);
      return;
    case "appendEntries":
    case "heartbeat":
      assert(false, "a term has at most one leader");
      return;
    default:
      raft.ignore(message, "wrongRole");
  }
}

interface FromFollower<Kind> {
  readonly role: LeaderRole;
  readonly follower: Follower;
  readonly message: Kind;
}

function onAppendAccepted(raft: Raft, { role, follower, message }: FromFollower<AppendAccepted>): void {
  const { progress } = follower;
  if (message.match > raft.log.lastIndex) {
    raft.ignore(message, "malformed");
    return;
  }
  const before = progress.state;
  if (!progress.accepted(message.match, raft.log.firstIndex)) return;
  if (progress.state !== before && progress.state === "replicate") {
    raft.trace?.({ kind: "followerReplicates", follower: follower.id, match: progress.match });
  }
  advanceCommit(raft, role);
  // Having committed its own removal it leads no more, and has chosen a successor already.
  if (raft.role === role) continueTransfer(raft, role);
}

function onAppendRejected(raft: Raft, { follower, message }: FromFollower<AppendRejected>): void {
  const { progress } = follower;
  const agreed = raft.log.lastNotAbove(message.hint);
  if (!progress.rejected(message.prevIndex, agreed.index)) {
    raft.ignore(message, "oldNews");
    return;
  }
  raft.trace?.({ kind: "followerProbed", follower: follower.id, next: progress.next });
}

function onHeartbeatResponse(raft: Raft, { role, follower, message }: FromFollower<HeartbeatResponse>): void {
  follower.progress.heartbeatAnswered();
  if (message.readRound === undefined) return;
  role.reads.answered(follower.id, message.readRound);
  answerReads(raft, role);
}

function onReadIndexRequest(raft: Raft, role: LeaderRole, request: ReadIndexRequest): void {
  requestRead(raft, role, { context: request.context, from: request.from });
}

/** Queues a read of this node or of a follower. Source: Diss. §6.4. */
export function requestRead(raft: Raft, role: LeaderRole, request: ReadRequest): void {
  if (raft.log.committed >= role.firstOfTerm) role.reads.add(request, raft.log.committed);
  else role.reads.addEarly(request);
  answerReads(raft, role);
}

function answerReads(raft: Raft, role: LeaderRole): void {
  for (const { context, from, index } of role.reads.takeConfirmed(raft.configuration)) {
    if (from === raft.id) {
      raft.readConfirmed({ context, index });
      continue;
    }
    role.tracker.follower(from)?.progress.awaitsCommit(index);
    raft.send({ kind: "readIndexResponse", from: raft.id, to: from, term: raft.term, context, index });
  }
}

/** What a leader is asked to append. */
export interface Proposals {
  readonly data: readonly Uint8Array[];
  /** The follower that waits for their commit, if it is not this node. */
  readonly onBehalfOf: NodeId | undefined;
}

/** Appends proposals to the log, within the limit of uncommitted bytes. */
export function propose(raft: Raft, role: LeaderRole, { data, onBehalfOf }: Proposals): ProposeResult {
  assert(data.length > 0, "a proposal holds something");
  if (role.transfer !== undefined) return { kind: "dropped", because: "transferring" };
  const { term, log } = raft;
  const first = indexAfter(log.lastIndex);
  const entries = data.map(
    (bytes, position): Entry => ({
      term,
      index: indexAfter(first, position),
      kind: "command",
      data: bytes,
    }),
  );
  const size = totalBytes(entries);
  // When nothing is on its way a proposal of any size goes through, else a large one never could.
  const limit = raft.config.maxUncommittedBytes;
  if (role.uncommittedBytes > 0 && role.uncommittedBytes + size > limit) {
    return { kind: "dropped", because: "uncommittedLimit" };
  }
  role.uncommittedBytes += size;
  log.append(entries);
  if (onBehalfOf !== undefined) role.tracker.follower(onBehalfOf)?.progress.awaitsCommit(log.lastIndex);
  return { kind: "accepted", first, term };
}

/** Committed entries go to the state machine: those of this term make room for new ones. */
export function handedOut(role: LeaderRole, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (entry.index >= role.firstOfTerm) role.uncommittedBytes -= entry.data.length;
  }
  assert(role.uncommittedBytes >= 0, "what is handed out was counted when it was proposed");
}

/** The leader's own disk holds more of the log. */
export function storedMore(raft: Raft, role: LeaderRole): void {
  role.tracker.storedOurselves(raft.log.stableIndex);
  advanceCommit(raft, role);
}

/**
 * Commits what a quorum stores, if it is of the leader's own term; older entries only through it.
 * Otherwise an entry that a majority holds could still be replaced. Source: Raft §5.4.2, Figure 8.
 */
function advanceCommit(raft: Raft, role: LeaderRole): void {
  const index = role.tracker.quorumMatch();
  if (index <= raft.log.committed || raft.log.termAt(index) !== raft.term) return;
  raft.commitTo(index);
  role.reads.committedInTerm(index);
  answerReads(raft, role);
  continueReconfiguration(raft, role);
}

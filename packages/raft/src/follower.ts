/** What a follower does with each message of its term. Source: Raft §5.3, Fig. 2. */
import { decideAppend } from "./append.ts";
import { assert, ForgottenPromise } from "./assert.ts";
import { startCampaign, startPreVote } from "./campaign.ts";
import type { AppendEntries, Heartbeat, Message, ReadIndexResponse, TimeoutNow } from "./messages.ts";
import type { Snapshot } from "./log.ts";
import type { Raft } from "./raft.ts";
import type { FollowerRole } from "./roles.ts";
import { type Entry, indexAfter, type LogIndex, minIndex, type NodeId, type ReadContext } from "./types.ts";

/**
 * Campaigns when no leader was heard for an election timeout; who has no vote only knows of no leader any
 * more. Source: Raft §5.2.
 */
export function tickFollower(raft: Raft, role: FollowerRole): void {
  for (const context of role.reads.tick(raft.config.electionTicks)) raft.readDropped(context);
  role.election.elapsed += 1;
  if (role.election.elapsed < role.election.timeout) return;
  if (raft.mayCampaign) startPreVote(raft);
  else if (role.leader !== undefined) raft.becomeFollower(undefined);
}

export function stepFollower(raft: Raft, role: FollowerRole, message: Message): void {
  switch (message.kind) {
    case "appendEntries":
      hearLeader(raft, role, message.from);
      onAppendEntries(raft, message);
      return;
    case "heartbeat":
      hearLeader(raft, role, message.from);
      onHeartbeat(raft, message);
      return;
    case "timeoutNow":
      onTimeoutNow(raft, role, message);
      return;
    case "readIndexResponse":
      onReadIndexResponse(raft, role, message);
      return;
    default:
      raft.ignore(message, "wrongRole");
  }
}

/** Forwards a read to the leader. Returns whether one is known. */
export function forwardRead(raft: Raft, role: FollowerRole, context: ReadContext): boolean {
  if (role.leader === undefined) return false;
  role.reads.add(context);
  raft.send({ kind: "readIndexRequest", from: raft.id, to: role.leader, term: raft.term, context });
  return true;
}

/** The sender speaks as the leader of our term: it is one, and it is there. Source: Raft §5.2. */
function hearLeader(raft: Raft, role: FollowerRole, leader: NodeId): void {
  if (role.leader === leader) {
    role.election.elapsed = 0;
    return;
  }
  assert(role.leader === undefined, "a term has at most one leader");
  raft.becomeFollower(leader);
}

export function onAppendEntries(raft: Raft, request: AppendEntries): void {
  const { log } = raft;
  if (request.prev.index < log.committed) {
    // Old, or sent before the leader knew how far we are: what is committed is the same everywhere.
    acceptAppend(raft, request, log.committed);
    return;
  }
  const decision = decideAppend(log, request);
  if (decision.kind === "missingPrev") {
    rejectAppend(raft, request);
    return;
  }
  traceConflict(raft, decision.entries);
  log.append(decision.entries);
  traceConfiguration(raft, decision.entries);
  // What we hold beyond the request's last entry may be another leader's and is not covered by its commit.
  const lastNew = indexAfter(request.prev.index, request.entries.length);
  raft.commitTo(minIndex(request.commit, lastNew));
  acceptAppend(raft, request, lastNew);
}

function traceConflict({ log, trace }: Raft, entries: readonly Entry[]): void {
  const [first] = entries;
  const ourTerm = first === undefined ? undefined : log.termAt(first.index);
  if (first === undefined || ourTerm === undefined) return;
  const { term, index } = first;
  trace?.({ kind: "entriesConflicted", ours: { term: ourTerm, index }, leaders: { term, index } });
}

function traceConfiguration({ log, trace }: Raft, entries: readonly Entry[]): void {
  if (trace === undefined || !entries.some(({ kind }) => kind === "configuration")) return;
  const { index, configuration } = log.configurations.latest;
  trace({ kind: "configurationAppended", index, configuration });
}

function acceptAppend(raft: Raft, { from: to }: Pick<AppendEntries, "from">, match: LogIndex): void {
  raft.send({ kind: "appendAccepted", from: raft.id, to, term: raft.term, match });
}

/**
 * Takes a snapshot whose content has arrived, unless the log already has what it stands for. Returns whether
 * it takes the log's place. Source: Raft §7, Fig. 13, receiver steps 6 to 8.
 */
export function takeSnapshot(raft: Raft, from: NodeId, snapshot: Snapshot): boolean {
  const { log } = raft;
  const { last } = snapshot;
  const isKnown = last.index <= log.committed || log.termAt(last.index) === last.term;
  if (isKnown) {
    raft.trace?.({ kind: "snapshotNotNeeded", last });
    raft.commitTo(last.index);
    acceptAppend(raft, { from }, log.committed);
    return false;
  }
  raft.trace?.({ kind: "snapshotAccepted", last });
  log.restore(snapshot);
  acceptAppend(raft, { from }, last.index);
  return true;
}

function rejectAppend(raft: Raft, request: AppendEntries): void {
  const { prev } = request;
  const hint = raft.log.lastNotAbove(prev);
  raft.trace?.({ kind: "prevMissing", prev, hint });
  raft.send({
    kind: "appendRejected",
    from: raft.id,
    to: request.from,
    term: raft.term,
    prevIndex: prev.index,
    hint,
  });
}

export function onHeartbeat(raft: Raft, heartbeat: Heartbeat): void {
  // The leader has our word that we store everything up to here. Without it we would go on with a promise
  // forgotten.
  const { lastIndex } = raft.log;
  if (heartbeat.commit > lastIndex) {
    throw new ForgottenPromise(
      `this member had stored log entries up to ${String(heartbeat.commit)} at least, and has ${String(lastIndex)}: ` +
        "its data was removed or is an older copy, and it must not take part with it; remove the member and add it " +
        "anew with an empty data directory (member-leave, then member-join), or do both with member-replace",
    );
  }
  raft.commitTo(heartbeat.commit);
  const { from, readRound } = heartbeat;
  raft.send({ kind: "heartbeatResponse", from: raft.id, to: from, term: raft.term, readRound });
}

/** Campaigns at once, without a pre-vote: the leader itself wants to be replaced. Source: Diss. §3.10. */
function onTimeoutNow(raft: Raft, role: FollowerRole, message: TimeoutNow): void {
  if (message.from === role.leader) startCampaign(raft, "leadershipTransfer");
  else raft.ignore(message, "wrongRole");
}

function onReadIndexResponse(raft: Raft, role: FollowerRole, response: ReadIndexResponse): void {
  const { context, index } = response;
  if (role.reads.take(context)) raft.readConfirmed({ context, index });
  else raft.ignore(response, "oldNews");
}

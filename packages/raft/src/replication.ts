/**
 * What a leader sends to its followers, made when the work is taken and not when its reasons arise: a
 * hundred proposals of one turn leave in one append, and a commit index costs no message of its own
 * while there are entries to send. Source: Raft §5.3, Diss. §10.2.2 (batching and pipelining).
 */
import { totalBytes } from "./log.ts";
import type { Raft } from "./raft.ts";
import type { LeaderRole } from "./roles.ts";
import type { Follower } from "./tracker/tracker.ts";
import { type Entry, indexAfter, indexBefore, minIndex } from "./types.ts";

/** Whether {@link sendToFollowers} would send anything. */
export function hasSomethingToSend(raft: Raft, role: LeaderRole): boolean {
  if (role.tracker.followers.length === 0) return false;
  if (role.isHeartbeatDue || role.reads.needsRound) return true;
  return role.tracker.followers.some((follower) => wantsAppend(raft, follower));
}

/**
 * Sends heartbeats if they are due or a read waits for them, and every append that the windows allow. Asks
 * for a snapshot for who needs what our log has dropped.
 */
export function sendToFollowers(raft: Raft, role: LeaderRole): void {
  if (role.isHeartbeatDue || role.reads.needsRound) sendHeartbeats(raft, role);
  for (const follower of role.tracker.followers) {
    while (wantsAppend(raft, follower)) {
      if (hasPrevOf(raft, follower)) sendAppend(raft, follower);
      else askForSnapshot(raft, follower);
    }
  }
}

function wantsAppend({ log }: Raft, { progress }: Follower): boolean {
  return progress.wantsAppend(log.lastIndex, log.committed);
}

/** Whether our log still knows the entry before the follower's next one. */
function hasPrevOf({ log }: Raft, { progress }: Follower): boolean {
  return progress.next >= log.firstIndex;
}

/** Who needs one has just said so: a follower that is away keeps its probe, and its full window. */
function askForSnapshot(raft: Raft, { id, progress }: Follower): void {
  raft.trace?.({ kind: "followerNeedsSnapshot", follower: id, next: progress.next });
  progress.becomeSnapshot();
  raft.needsSnapshot(id);
}

function sendHeartbeats(raft: Raft, role: LeaderRole): void {
  role.isHeartbeatDue = false;
  const readRound = role.reads.announce();
  for (const { id, progress } of role.tracker.followers) {
    // Beyond its match a follower may hold other entries, which this commit index does not cover.
    const commit = minIndex(progress.match, raft.log.committed);
    progress.toldUpTo(commit);
    raft.send({ kind: "heartbeat", from: raft.id, to: id, term: raft.term, commit, readRound });
  }
}

function sendAppend(raft: Raft, { id, progress }: Follower): void {
  const { log, config } = raft;
  const { next } = progress;
  const end = indexAfter(log.lastIndex);
  // A follower whose window is full gets at most the question whether something was lost.
  const entries: readonly Entry[] =
    next < end && !progress.isPaused ? log.entries(next, end, config.maxAppendBytes) : [];
  const prev = log.idAt(indexBefore(next));
  const commit = log.committed;
  progress.sentAppend(indexAfter(prev.index, entries.length), totalBytes(entries), commit);
  raft.send({ kind: "appendEntries", from: raft.id, to: id, term: raft.term, prev, entries, commit });
}

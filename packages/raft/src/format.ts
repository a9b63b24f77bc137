/**
 * One-line forms of what the core works with, for scripts, logs and failures. They show no data of
 * entries.
 *
 *   3/4       the entry at index 3 of term 4; 3-5/4 are the three from 3 to 5
 *   1@4 → 2   node 1 says something to node 2, in term 4; a pre-vote names the term it is about
 */
import { unreachable } from "./assert.ts";
import type { Configuration } from "./configuration/configuration.ts";
import type { Observation } from "./invariants.ts";
import type { Message } from "./messages.ts";
import type { TraceEvent } from "./trace.ts";
import type { EntryId, HardState, NodeId, Term } from "./types.ts";

/** The name of a node, as in logs: hexadecimal. */
export function formatNode(id: NodeId | undefined): string {
  return id === undefined ? "nobody" : id.toString(16);
}

/** `1@4`: node 1 in term 4. */
export function formatSpeaker(id: NodeId, term: Term): string {
  return `${formatNode(id)}@${String(term)}`;
}

/** `3/4`: index 3, term 4. */
export function formatEntryId({ index, term }: EntryId): string {
  return `${String(index)}/${String(term)}`;
}

/** `1-2/1,3/4`: what stands in a log from 1 to 3, one group for each term. */
export function formatEntries(entries: readonly EntryId[]): string {
  const groups: { first: EntryId; last: EntryId }[] = [];
  for (const entry of entries) {
    const group = groups.at(-1);
    if (group?.last.term === entry.term && group.last.index + 1 === entry.index) group.last = entry;
    else groups.push({ first: entry, last: entry });
  }
  if (groups.length === 0) return "none";
  return groups
    .map(({ first, last }) =>
      first === last ? formatEntryId(last) : `${String(first.index)}-${formatEntryId(last)}`,
    )
    .join(",");
}

/**
 * `1@4 → 2  appendEntries prev=3/4 entries=4/4 commit=3`. The arrow is the caller's, to show what became of
 * it.
 */
export function formatMessage(message: Message, arrow = "→"): string {
  const details = detailsOf(message);
  const route = `${formatSpeaker(message.from, message.term)} ${arrow} ${formatNode(message.to)}`;
  return `${route}  ${message.kind}${details === "" ? "" : ` ${details}`}`;
}

function detailsOf(message: Message): string {
  switch (message.kind) {
    case "preVoteRequest":
      return `last=${formatEntryId(message.lastEntry)}`;
    case "voteRequest": {
      const { lastEntry, leadershipTransfer } = message;
      return `last=${formatEntryId(lastEntry)}${leadershipTransfer ? " leadershipTransfer" : ""}`;
    }
    case "preVoteResponse":
    case "voteResponse":
      return message.granted ? "granted" : "refused";
    case "appendEntries": {
      const { prev, entries, commit } = message;
      return `prev=${formatEntryId(prev)} entries=${formatEntries(entries)} commit=${String(commit)}`;
    }
    case "appendAccepted":
      return `match=${String(message.match)}`;
    case "appendRejected":
      return `prev=${String(message.prevIndex)} hint=${formatEntryId(message.hint)}`;
    case "heartbeat":
      return `commit=${String(message.commit)}${formatRound(message.readRound)}`;
    case "heartbeatResponse":
      return formatRound(message.readRound).trimStart();
    case "timeoutNow":
      return "";
    case "readIndexRequest":
      return `read=${String(message.context)}`;
    case "readIndexResponse":
      return `read=${String(message.context)} index=${String(message.index)}`;
    default:
      return unreachable(message);
  }
}

function formatRound(round: number | undefined): string {
  return round === undefined ? "" : ` round=${String(round)}`;
}

/** `voters=1,2,3 outgoing=1,2 learners=4`: who takes part; groups without members are left out. */
export function formatConfiguration({ voters, outgoing, learners }: Configuration): string {
  const groups = Object.entries({ voters, outgoing, learners }).filter(([, ids]) => ids.length > 0);
  return groups.map(([name, ids]) => `${name}=${ids.map(formatNode).join(",")}`).join(" ") || "nobody";
}

/** `term=4 vote=1`: what a node must not forget. */
export function formatHardState({ term, votedFor }: HardState): string {
  return `term=${String(term)} vote=${formatNode(votedFor)}`;
}

/** `1@4 leader of 1 vote=1 commit=3/4 applied=3 stored=4 last=4/4`: where a node stands. */
export function formatState(seen: Observation): string {
  const role = seen.role === "follower" ? `follower of ${formatNode(seen.leader)}` : seen.role;
  return [
    formatSpeaker(seen.id, seen.term),
    role,
    `vote=${formatNode(seen.votedFor)}`,
    `commit=${formatEntryId(seen.committed)}`,
    `applied=${String(seen.handedOut)}`,
    `stored=${String(seen.stable)}`,
    `last=${formatEntryId(seen.last)}`,
  ].join(" ");
}

/** What happened inside a node, as the rest of a sentence that begins with the node. */
export function formatTrace(event: TraceEvent): string {
  switch (event.kind) {
    case "becameFollower":
      return `follows ${formatNode(event.leader)}`;
    case "becamePreCandidate":
      return "asks for pre-votes";
    case "becameCandidate":
      return "campaigns";
    case "becameLeader":
      return "leads";
    case "voteGranted":
    case "voteRefused":
      return formatVote(event);
    case "quorumLost":
      return "hears no majority";
    case "entriesConflicted":
      return `replaces from ${formatEntryId(event.ours)}: the leader has ${formatEntryId(event.leaders)}`;
    case "prevMissing":
      return `has no ${formatEntryId(event.prev)}, hints at ${formatEntryId(event.hint)}`;
    case "followerProbed":
      return `probes ${formatNode(event.follower)} from ${String(event.next)}`;
    case "followerReplicates":
      return `replicates to ${formatNode(event.follower)}, which stores ${String(event.match)}`;
    case "followerNeedsSnapshot":
      return `has dropped ${String(event.next)}, which ${formatNode(event.follower)} needs: a snapshot`;
    case "snapshotAccepted":
      return `takes a snapshot up to ${formatEntryId(event.last)}`;
    case "snapshotNotNeeded":
      return `needs no snapshot up to ${formatEntryId(event.last)}`;
    case "configurationAppended":
      return `goes by the configuration of ${String(event.index)}: ${formatConfiguration(event.configuration)}`;
    case "notVoterAnyMore":
      return "has no vote any more and leads no longer";
    case "committed":
      return `commits ${String(event.index)}`;
    case "readConfirmed":
      return `read ${String(event.context)} is confirmed at ${String(event.index)}`;
    case "readDropped":
      return `read ${String(event.context)} is dropped`;
    case "transferStarted":
      return `hands leadership to ${formatNode(event.to)}`;
    case "transferAborted":
      return `gives up handing leadership to ${formatNode(event.to)}`;
    case "ignored":
      return `ignores ${event.message.kind} of ${formatNode(event.message.from)}: ${event.because}`;
    default:
      return unreachable(event);
  }
}

function formatVote(event: Extract<TraceEvent, { kind: "voteGranted" | "voteRefused" }>): string {
  const what = `${event.preVote ? "pre-vote" : "vote"} for ${formatSpeaker(event.to, event.term)}`;
  return event.kind === "voteGranted" ? `grants ${what}` : `refuses ${what}: ${event.because}`;
}

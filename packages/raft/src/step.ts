/** What happens with every message before its role sees it: who may speak, and whose term counts. */
import { isWellFormed } from "./append.ts";
import { assert, unreachable } from "./assert.ts";
import { stepCandidate, tickCandidate } from "./candidate.ts";
import { stepFollower, takeSnapshot, tickFollower } from "./follower.ts";
import { stepLeader, tickLeader } from "./leader.ts";
import type { Message, PreVoteRequest, VoteRequest } from "./messages.ts";
import type { ReceivedSnapshot } from "./node.ts";
import type { Raft } from "./raft.ts";
import type { IgnoredBecause } from "./trace.ts";
import { decidePreVote, decideVote, type VoteDecision, type Voter } from "./vote.ts";

/** A tick of the clock passes. */
export function tick(raft: Raft): void {
  const { role } = raft;
  switch (role.kind) {
    case "follower":
      tickFollower(raft, role);
      return;
    case "preCandidate":
    case "candidate":
      tickCandidate(raft, role);
      return;
    case "leader":
      tickLeader(raft, role);
      return;
    default:
      unreachable(role);
  }
}

/** A message has arrived. */
export function step(raft: Raft, message: Message): void {
  const because = reasonToIgnore(raft, message);
  if (because !== undefined) {
    raft.ignore(message, because);
    return;
  }
  // A pre-vote asks about a term that nobody has entered yet, so it does not take part in the rule of terms.
  if (message.kind === "preVoteRequest") {
    answerPreVote(raft, message);
    return;
  }
  if (message.kind === "preVoteResponse" && message.granted) {
    onPreVoteGranted(raft, message);
    return;
  }
  if (message.term < raft.term) {
    answerStale(raft, message);
    return;
  }
  if (message.term > raft.term) followTerm(raft, message);
  assert(message.term === raft.term, "from here on both are in the same term");
  if (message.kind === "voteRequest") answerVote(raft, message);
  else dispatch(raft, message);
}

/**
 * Whoever asks is answered, member of our configuration or not: the sender's may be younger than ours, and a
 * node that was just added knows of no configuration at all. Source: Diss. §4.1. Answers count only from
 * members.
 */
function reasonToIgnore(raft: Raft, message: Message): IgnoredBecause | undefined {
  if (message.to !== raft.id) return "notForUs";
  if (message.from === raft.id) return "notMember";
  if (message.kind === "appendEntries" && !isWellFormed(message)) return "malformed";
  const isDisturbing =
    message.kind === "voteRequest" && message.term > raft.term && !message.leadershipTransfer;
  // Who hears a leader does not let a candidate unseat it, nor even learn of its term. Source: Diss. §4.2.3.
  if (isDisturbing && hearsLeader(raft)) return "leaderAlive";
  return undefined;
}

/**
 * The content of a snapshot has arrived from who led in its term. Returns whether it is taken. A leader that
 * was added lately may have applied less than the entry that told it who takes part: what it knows then is no
 * state to begin with. Source: Raft Fig. 13.
 */
export function stepSnapshot(raft: Raft, { from, term, last, configuration }: ReceivedSnapshot): boolean {
  if (term < raft.term || last.term > term || configuration.voters.length === 0) return false;
  if (term > raft.term) raft.enterTerm(term, from);
  assert(raft.role.kind !== "leader", "a term has at most one leader");
  if (raft.role.kind !== "follower" || raft.role.leader === undefined) raft.becomeFollower(from);
  assert(raft.leader === from, "a term has at most one leader");
  return takeSnapshot(raft, from, { last, configuration });
}

/** Any later term makes a follower. Source: Raft §5.1. */
function followTerm(raft: Raft, message: Message): void {
  const isFromLeader = message.kind === "appendEntries" || message.kind === "heartbeat";
  raft.enterTerm(message.term, isFromLeader ? message.from : undefined);
}

/**
 * Tells a sender that its term is over. Without an answer a leader of an older term, and a candidate,
 * would never learn of ours and we could never follow anyone. Other stale messages need none.
 */
function answerStale(raft: Raft, message: Message): void {
  const { id: from, term } = raft;
  const to = message.from;
  raft.ignore(message, "staleTerm");
  if (message.kind === "appendEntries" || message.kind === "heartbeat") {
    raft.send({ kind: "heartbeatResponse", from, to, term, readRound: undefined });
  }
  if (message.kind === "voteRequest") raft.send({ kind: "voteResponse", from, to, term, granted: false });
}

function answerPreVote(raft: Raft, request: PreVoteRequest): void {
  const decision = decidePreVote(request, asVoter(raft));
  traceVote(raft, request, decision);
  const granted = decision.kind === "grant";
  // A grant names the term that was asked for; a refusal our own, which the sender may have missed.
  const term = granted ? request.term : raft.term;
  raft.send({ kind: "preVoteResponse", from: raft.id, to: request.from, term, granted });
}

function onPreVoteGranted(raft: Raft, message: Message): void {
  const isCurrent = raft.role.kind === "preCandidate" && message.term === raft.term + 1;
  if (isCurrent) dispatch(raft, message);
  else raft.ignore(message, "oldNews");
}

function answerVote(raft: Raft, request: VoteRequest): void {
  const decision = decideVote(request, asVoter(raft));
  traceVote(raft, request, decision);
  const granted = decision.kind === "grant";
  if (granted) raft.voteFor(request.from);
  raft.send({ kind: "voteResponse", from: raft.id, to: request.from, term: raft.term, granted });
}

function traceVote(raft: Raft, request: PreVoteRequest | VoteRequest, decision: VoteDecision): void {
  if (raft.trace === undefined) return;
  const { from: to, term } = request;
  const preVote = request.kind === "preVoteRequest";
  if (decision.kind === "grant") raft.trace({ kind: "voteGranted", to, term, preVote });
  else raft.trace({ kind: "voteRefused", to, term, preVote, because: decision.because });
}

function asVoter(raft: Raft): Voter {
  const { term, votedFor, log } = raft;
  return { term, votedFor, lastEntry: log.lastEntry, hearsLeader: hearsLeader(raft) };
}

/** A leader hears a majority, or check-quorum would have ended its leadership. */
function hearsLeader({ role, config }: Raft): boolean {
  if (role.kind === "leader") return true;
  return (
    role.kind === "follower" && role.leader !== undefined && role.election.elapsed < config.electionTicks
  );
}

function dispatch(raft: Raft, message: Message): void {
  const { role } = raft;
  switch (role.kind) {
    case "follower":
      stepFollower(raft, role, message);
      return;
    case "preCandidate":
    case "candidate":
      stepCandidate(raft, role, message);
      return;
    case "leader":
      stepLeader(raft, role, message);
      return;
    default:
      unreachable(role);
  }
}

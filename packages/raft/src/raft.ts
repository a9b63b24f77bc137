import { assert } from "./assert.ts";
import { checkConfig, type RaftConfig } from "./config.ts";
import { type Configuration, type ConfigurationAt, flawOf, isVoter } from "./configuration/configuration.ts";
import { ConfigurationHistory } from "./configuration/history.ts";
import type { LogReader } from "./log-reader.ts";
import { RaftLog } from "./log.ts";
import type { Message } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { ForwardedReads, ReadRounds } from "./read-index.ts";
import type { ReadState } from "./ready.ts";
import type { ElectionTimer, LeaderRole, Role } from "./roles.ts";
import { Tracker } from "./tracker/tracker.ts";
import type { IgnoredBecause, TraceEvent } from "./trace.ts";
import {
  type HardState,
  indexAfter,
  type LogIndex,
  maxIndex,
  type NodeId,
  nextTerm,
  type ReadContext,
  type Term,
} from "./types.ts";

/** Rounds of reads that may wait at a leader; each member needs one at a time. */
const maxWaitingReads = 1024;

/** What a node finds on its disk when it starts. */
export interface Restored {
  readonly log: LogReader;
  readonly hardState: HardState;
  /** Up to here the state machine has applied the log. */
  readonly applied: LogIndex;
  /** The one in force where the log begins, then those of its entries, ascending. */
  readonly configurations: readonly [ConfigurationAt, ...ConfigurationAt[]];
}

/**
 * The state of one participant, and its changes of term and role. What is done with each message is in
 * the file of the role.
 *
 * Invariants: the term never decreases; within a term the vote is given once; a candidate and a leader
 * have voted for themselves.
 */
export class Raft {
  readonly config: RaftConfig;
  readonly log: RaftLog;
  readonly outbox = new Outbox();
  #term: Term;
  #votedFor: NodeId | undefined;
  #role: Role;
  #readStates: ReadState[] = [];
  #droppedReads: ReadContext[] = [];
  #snapshotsTo: NodeId[] = [];

  constructor(config: RaftConfig, restored: Restored) {
    checkConfig(config);
    const { hardState, applied } = restored;
    const [base, ...later] = restored.configurations;
    this.config = config;
    this.log = new RaftLog(restored.log, {
      commit: maxIndex(hardState.commit, applied),
      applied,
      configurations: new ConfigurationHistory(base, later),
    });
    this.#term = hardState.term;
    this.#votedFor = hardState.votedFor;
    this.#role = {
      kind: "follower",
      leader: undefined,
      election: this.#newTimer(),
      reads: new ForwardedReads(),
    };
    assert(this.log.lastEntry.term <= hardState.term, "no entry is of a later term than the node");
    assert(flawOf(this.configuration) === undefined, "a node starts with a sound configuration");
  }

  get id(): NodeId {
    return this.config.id;
  }

  get term(): Term {
    return this.#term;
  }

  get votedFor(): NodeId | undefined {
    return this.#votedFor;
  }

  get role(): Role {
    return this.#role;
  }

  get leader(): NodeId | undefined {
    if (this.#role.kind === "leader") return this.id;
    return this.#role.kind === "follower" ? this.#role.leader : undefined;
  }

  get hardState(): HardState {
    return { term: this.#term, votedFor: this.#votedFor, commit: this.log.committed };
  }

  /** The latest one in the log, committed or not. Source: Diss. §4.1. */
  get configuration(): Configuration {
    return this.log.configurations.latest.configuration;
  }

  /**
   * Whether this node may ask for votes: it has one by the latest configuration, or by the one that is
   * committed. The latter is needed while its own removal is not: perhaps only this node has that entry, and
   * nobody without it can win its vote. Source: Diss. §4.2.2.
   */
  get mayCampaign(): boolean {
    const { configurations, committed } = this.log;
    return (
      isVoter(this.configuration, this.id) || isVoter(configurations.at(committed).configuration, this.id)
    );
  }

  /** Undefined when nobody listens, so that events are not even made. */
  get trace(): ((event: TraceEvent) => void) | undefined {
    return this.config.trace;
  }

  send(message: Message): void {
    this.outbox.add(message);
  }

  ignore(message: Message, because: IgnoredBecause): void {
    this.trace?.({ kind: "ignored", message, because });
  }

  /** Enters a later term as a follower that has not voted. Source: Raft §5.1. */
  enterTerm(term: Term, leader: NodeId | undefined): void {
    assert(term > this.#term, "the term never decreases");
    this.#term = term;
    this.#votedFor = undefined;
    this.becomeFollower(leader);
  }

  /**
   * Follows in the current term. Hearing from a leader restarts the election timer; merely learning of
   * a later term does not (Raft Fig. 2, rules for followers), else a hopeless candidate could keep all others
   * from ever campaigning.
   */
  becomeFollower(leader: NodeId | undefined): void {
    const before = this.#role;
    const keepsTimer = before.kind === "follower" && leader === undefined;
    this.#follow(leader, keepsTimer ? before.election : this.#newTimer());
  }

  /**
   * Follows nobody, after a campaign that cannot be won any more. The next one comes after a quarter of an
   * election timeout at the earliest: no leader has to be waited for a second time, and two that split
   * the votes need only come apart. A campaign that would disturb a leader fails in its pre-vote.
   */
  giveUpCampaign(): void {
    const { timeout } = this.#newTimer();
    const { electionTicks } = this.config;
    this.#follow(undefined, { elapsed: 0, timeout: timeout - electionTicks + Math.ceil(electionTicks / 4) });
  }

  #follow(leader: NodeId | undefined, election: ElectionTimer): void {
    this.#leaveRole();
    this.#role = { kind: "follower", leader, election, reads: new ForwardedReads() };
    this.trace?.({ kind: "becameFollower", term: this.#term, leader });
  }

  /** Asks around in the current term, which stays as it is. Source: Diss. §9.6. */
  becomePreCandidate(): void {
    assert(this.#role.kind !== "leader", "a leader does not campaign");
    this.#leaveRole();
    this.#role = { kind: "preCandidate", votes: new Map([[this.id, true]]), election: this.#newTimer() };
    this.trace?.({ kind: "becamePreCandidate", term: this.#term });
  }

  /** Starts the next term and votes for itself, which counts once it is on disk. Source: Raft §5.2. */
  becomeCandidate(): void {
    assert(this.#role.kind !== "leader", "a leader does not campaign");
    this.#leaveRole();
    this.#term = nextTerm(this.#term);
    this.#votedFor = this.id;
    this.#role = { kind: "candidate", votes: new Map(), election: this.#newTimer() };
    this.trace?.({ kind: "becameCandidate", term: this.#term });
  }

  /**
   * Leads the current term, beginning with an empty entry: only an entry of its own term lets a leader
   * commit what others left (Raft §5.4.2), and learn what is committed (§8).
   */
  becomeLeader(): void {
    assert(this.#role.kind === "candidate", "only a candidate becomes leader");
    const { maxInflightMessages, maxInflightBytes } = this.config;
    const firstOfTerm = indexAfter(this.log.lastIndex);
    const progress = { next: firstOfTerm, maxInflightMessages, maxInflightBytes };
    const role: LeaderRole = {
      kind: "leader",
      tracker: new Tracker({ self: this.id, configuration: this.configuration, progress }),
      reads: new ReadRounds({ self: this.id, capacity: maxWaitingReads }),
      firstOfTerm,
      now: 0,
      heartbeatElapsed: 0,
      isHeartbeatDue: false,
      uncommittedBytes: 0,
      transfer: undefined,
    };
    role.tracker.storedOurselves(this.log.stableIndex);
    this.#role = role;
    this.log.append([{ term: this.#term, index: firstOfTerm, kind: "empty", data: new Uint8Array(0) }]);
    this.trace?.({ kind: "becameLeader", term: this.#term });
  }

  /** Votes in the current term, and is patient with the candidate from now on. Source: Raft §5.2. */
  voteFor(candidate: NodeId): void {
    assert(
      this.#votedFor === undefined || this.#votedFor === candidate,
      "within a term the vote is given once",
    );
    this.#votedFor = candidate;
    if (this.#role.kind === "preCandidate") this.becomeFollower(undefined);
    if (this.#role.kind === "follower") this.#role.election.elapsed = 0;
  }

  /** Raises the commit index, if it is news. */
  commitTo(index: LogIndex): void {
    if (this.log.commitTo(index)) this.trace?.({ kind: "committed", index });
  }

  readConfirmed(state: ReadState): void {
    this.#readStates.push(state);
    this.trace?.({ kind: "readConfirmed", ...state });
  }

  readDropped(context: ReadContext): void {
    this.#droppedReads.push(context);
    this.trace?.({ kind: "readDropped", context });
  }

  needsSnapshot(follower: NodeId): void {
    this.#snapshotsTo.push(follower);
  }

  /** Whether there is anything to tell that no message, batch or entry says. */
  get hasNews(): boolean {
    return this.#readStates.length > 0 || this.#droppedReads.length > 0 || this.#snapshotsTo.length > 0;
  }

  takeSnapshotsTo(): readonly NodeId[] {
    const taken = this.#snapshotsTo;
    this.#snapshotsTo = [];
    return taken;
  }

  takeReadStates(): readonly ReadState[] {
    const taken = this.#readStates;
    this.#readStates = [];
    return taken;
  }

  takeDroppedReads(): readonly ReadContext[] {
    const taken = this.#droppedReads;
    this.#droppedReads = [];
    return taken;
  }

  /**
   * Reads that waited for the old role's leader will not be confirmed. Those of followers, they give up
   * themselves.
   */
  #leaveRole(): void {
    const role = this.#role;
    if (role.kind === "follower") {
      for (const context of role.reads.all()) this.readDropped(context);
    }
    if (role.kind === "leader") {
      for (const { context, from } of role.reads.all()) if (from === this.id) this.readDropped(context);
    }
  }

  #newTimer(): ElectionTimer {
    const { electionTicks, random } = this.config;
    const extra = random(electionTicks);
    assert(
      Number.isInteger(extra) && extra >= 0 && extra < electionTicks,
      "random(bound) is a whole number in [0, bound)",
    );
    return { elapsed: 0, timeout: electionTicks + extra };
  }
}

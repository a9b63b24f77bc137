import { ownVoteStored, startPreVote } from "./campaign.ts";
import type { RaftConfig } from "./config.ts";
import type { MemberChange } from "./configuration/change.ts";
import type { ConfigurationAt } from "./configuration/configuration.ts";
import { forwardRead } from "./follower.ts";
import type { Observation } from "./invariants.ts";
import { handedOut, propose, type ProposeResult, requestRead, storedMore } from "./leader.ts";
import { startTransfer, type TransferResult } from "./leadership-transfer.ts";
import type { Snapshot } from "./log.ts";
import type { Message } from "./messages.ts";
import type { Durable } from "./outbox.ts";
import { Persistence } from "./persistence.ts";
import { Raft, type Restored } from "./raft.ts";
import type { PersistBatch, Ready, SoftState } from "./ready.ts";
import { reconfigure, type ReconfigurationResult } from "./reconfiguration.ts";
import { hasSomethingToSend, sendToFollowers } from "./replication.ts";
import type { LeaderRole } from "./roles.ts";
import { step, stepSnapshot, tick } from "./step.ts";
import type { ReplicationState } from "./tracker/progress.ts";
import type { LogIndex, NodeId, ReadContext, RoleName, Term } from "./types.ts";

/** How one follower stands, for people and for choosing a successor. */
export interface FollowerStatus {
  /** Highest index known to be on its disk. */
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly state: ReplicationState;
  /** Whether it was heard within the last election timeout. */
  readonly recentlyActive: boolean;
}

export interface NodeStatus extends SoftState {
  readonly id: NodeId;
  readonly role: RoleName;
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly commit: LogIndex;
  /** Highest index handed out in {@link Ready.committed}. */
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  /** The one in force, committed or not. */
  readonly configuration: ConfigurationAt;
  /** Empty unless this node leads. */
  readonly followers: ReadonlyMap<NodeId, FollowerStatus>;
}

export type ReadIndexResult =
  | { readonly kind: "accepted" }
  | { readonly kind: "dropped"; readonly because: "noLeader" };

/** A snapshot whose whole content is on this node's disk, beside log and state. */
export interface ReceivedSnapshot extends Snapshot {
  readonly from: NodeId;
  /** The term in which `from` led when it began to send. */
  readonly term: Term;
}

/** Whether the state machine takes entries now, or has too much to make durable already. */
export type StateMachine = "open" | "full";

const noFollowers: ReadonlyMap<NodeId, FollowerStatus> = new Map();

/**
 * One participant in Raft, without clock, disk, socket or randomness of its own.
 *
 * The driver calls in with what happened ({@link tick}, {@link step}, {@link propose} and so on), then
 * takes the work that follows from it with {@link ready} and honours it as {@link Ready} says. Nothing
 * here waits or calls back, so the same calls always lead to the same work.
 */
export class RaftNode {
  readonly #raft: Raft;
  readonly #persistence: Persistence;
  #toldSoftState: SoftState;
  #toldConfiguration: ConfigurationAt;

  /** Starts as a follower with what the disk holds. */
  constructor(config: RaftConfig, restored: Restored) {
    this.#raft = new Raft(config, restored);
    this.#persistence = new Persistence(restored.hardState);
    this.#toldSoftState = softStateOf(this.#raft);
    this.#toldConfiguration = this.#raft.log.configurations.latest;
  }

  /** A tick of the clock passes. */
  tick(): void {
    tick(this.#raft);
  }

  /** A message has arrived. Those of strangers, or for somebody else, have no effect. */
  step(message: Message): void {
    step(this.#raft, message);
  }

  /**
   * Appends one entry for each element, if this node leads. All are accepted or none.
   *
   * @param onBehalfOf the follower that waits for their commit, if it is not this node: it is told at once.
   */
  propose(data: readonly Uint8Array[], onBehalfOf?: NodeId): ProposeResult {
    const { role } = this.#raft;
    if (role.kind !== "leader") return { kind: "dropped", because: "notLeader" };
    return propose(this.#raft, role, { data, onBehalfOf });
  }

  /**
   * Appends a configuration with these changes, if this node leads and no change is under way. It is in force
   * at once, and for good once it is committed. What needs two steps (joint consensus) is finished by the
   * leader.
   *
   * @param context what the caller wants to keep with the new configuration, in place of the one before.
   */
  reconfigure(changes: readonly MemberChange[], context: Uint8Array): ReconfigurationResult {
    const { role } = this.#raft;
    if (role.kind !== "leader") return { kind: "dropped", because: "notLeader" };
    return reconfigure(this.#raft, role, { changes, context });
  }

  /**
   * Asks for an index such that a state machine that has applied it may serve reads that arrived before
   * this call. The answer comes in {@link Ready.readStates} or {@link Ready.droppedReads}. Works on a
   * leader and on a follower that knows one.
   */
  readIndex(context: ReadContext): ReadIndexResult {
    const { role, id } = this.#raft;
    if (role.kind === "leader") {
      requestRead(this.#raft, role, { context, from: id });
      return { kind: "accepted" };
    }
    if (role.kind === "follower" && forwardRead(this.#raft, role, context)) return { kind: "accepted" };
    return { kind: "dropped", because: "noLeader" };
  }

  /** Hands leadership to `to`, if this node leads. Takes no proposals until that has happened or failed. */
  transferLeadership(to: NodeId): TransferResult {
    const { role } = this.#raft;
    if (role.kind !== "leader") return { kind: "dropped", because: "notLeader" };
    return startTransfer(this.#raft, role, to);
  }

  /**
   * Campaigns now, with a pre-vote, instead of at the end of the election timeout. A leader goes on leading.
   */
  campaign(): void {
    if (this.#raft.role.kind !== "leader") startPreVote(this.#raft);
  }

  /**
   * A snapshot has arrived. Returns whether it is taken: one of the next batches then has it, and until then
   * its content must be kept. Otherwise it may go: the log has what it stands for, or its sender leads no
   * more.
   */
  snapshotReceived(snapshot: ReceivedSnapshot): boolean {
    return stepSnapshot(this.#raft, snapshot);
  }

  /**
   * The snapshot that {@link Ready.snapshotsTo} asked for will not arrive; or it has, and nothing was heard
   * of it since. The follower is asked what it needs now.
   */
  snapshotFailed(to: NodeId): void {
    const { role, log } = this.#raft;
    if (role.kind === "leader") role.tracker.follower(to)?.progress.snapshotFailed(log.firstIndex);
  }

  /** Whether {@link ready} would give out any work. */
  hasReady(stateMachine: StateMachine = "open"): boolean {
    const raft = this.#raft;
    const { role } = raft;
    return (
      (stateMachine === "open" && raft.log.hasCommittedToHandOut) ||
      raft.hasNews ||
      this.#toldConfiguration !== raft.log.configurations.latest ||
      this.#persistence.isDue(raft) ||
      (!raft.outbox.isEmpty && raft.outbox.hasReleasable(this.#durable())) ||
      (role.kind === "leader" && hasSomethingToSend(raft, role)) ||
      this.#isSoftStateNews
    );
  }

  /**
   * Takes all the work there is. While a batch is being written, everything but the next batch flows on;
   * while the state machine is full, everything but committed entries.
   */
  ready(stateMachine: StateMachine = "open"): Ready {
    const raft = this.#raft;
    const { role } = raft;
    if (role.kind === "leader") sendToFollowers(raft, role);
    const committed = stateMachine === "open" ? raft.log.takeCommitted(raft.config.maxCommittedBytes) : [];
    if (role.kind === "leader") handedOut(role, committed);
    return {
      messages: raft.outbox.isEmpty ? [] : raft.outbox.takeReleasable(this.#durable()),
      persist: this.#takeBatch(),
      committed,
      readStates: raft.takeReadStates(),
      droppedReads: raft.takeDroppedReads(),
      softState: this.#takeSoftState(),
      configuration: this.#takeConfiguration(),
      snapshotsTo: raft.takeSnapshotsTo(),
    };
  }

  /**
   * The batch that is out has been synced, so its {@link PersistBatch.thenSend} may leave. A candidate's own
   * vote counts from here on, which may make it leader.
   */
  persisted(batchId: number): void {
    const raft = this.#raft;
    this.#persistence.confirm(batchId, raft.log);
    const { role } = raft;
    if (role.kind === "leader") storedMore(raft, role);
    if (role.kind === "candidate" && this.#persistence.holds(raft)) ownVoteStored(raft, role);
  }

  /** What of {@link status} is asked for all the time. */
  get softState(): SoftState {
    return softStateOf(this.#raft);
  }

  /** The one in force: the latest in the log, committed or not. */
  get configuration(): ConfigurationAt {
    return this.#raft.log.configurations.latest;
  }

  status(): NodeStatus {
    const { id, term, leader, log, role, config } = this.#raft;
    return {
      id,
      role: role.kind,
      term,
      leader,
      commit: log.committed,
      applied: log.handedOut,
      lastIndex: log.lastIndex,
      configuration: log.configurations.latest,
      followers: role.kind === "leader" ? followersOf(role, config.electionTicks) : noFollowers,
    };
  }

  /** What {@link checkState} and {@link checkStep} look at. */
  observe(): Observation {
    const { id, term, votedFor, leader, log, role } = this.#raft;
    return {
      id,
      role: role.kind,
      term,
      votedFor,
      leader,
      committed: log.idAt(log.committed),
      handedOut: log.handedOut,
      stable: log.stableIndex,
      first: log.firstIndex,
      last: log.lastEntry,
      progress:
        role.kind === "leader"
          ? role.tracker.followers.map(({ progress: { match, next } }) => ({ match, next }))
          : [],
    };
  }

  /** Term of the entry at `index`, durable or not; undefined outside the log. */
  termAt(index: LogIndex): Term | undefined {
    return this.#raft.log.termAt(index);
  }

  #durable(): Durable {
    return { hardState: this.#persistence.holds(this.#raft), index: this.#raft.log.stableIndex };
  }

  #takeBatch(): PersistBatch | undefined {
    const raft = this.#raft;
    if (!this.#persistence.isDue(raft)) return undefined;
    return this.#persistence.take(raft.hardState, raft.log, raft.outbox);
  }

  #takeConfiguration(): ConfigurationAt | undefined {
    const now = this.#raft.log.configurations.latest;
    if (now === this.#toldConfiguration) return undefined;
    this.#toldConfiguration = now;
    return now;
  }

  #takeSoftState(): SoftState | undefined {
    if (!this.#isSoftStateNews) return undefined;
    this.#toldSoftState = softStateOf(this.#raft);
    return this.#toldSoftState;
  }

  get #isSoftStateNews(): boolean {
    const { role, term, leader } = this.#toldSoftState;
    const raft = this.#raft;
    return role !== raft.role.kind || term !== raft.term || leader !== raft.leader;
  }
}

function softStateOf({ role, term, leader }: Raft): SoftState {
  return { role: role.kind, term, leader };
}

function followersOf(role: LeaderRole, electionTicks: number): ReadonlyMap<NodeId, FollowerStatus> {
  const since = role.now - electionTicks;
  const statuses = new Map<NodeId, FollowerStatus>();
  for (const { id, progress, heardAt } of role.tracker.followers) {
    const { match, next, state } = progress;
    statuses.set(id, { match, next, state, recentlyActive: heardAt !== undefined && heardAt >= since });
  }
  return statuses;
}

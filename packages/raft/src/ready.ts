/**
 * The work that the core hands to its driver, and the order in which it must be honoured.
 *
 *   messages          leave at once: they promise nothing that is not on disk (outbox.ts has the rule)
 *   persist           is written and synced as one batch; at most one is out at a time
 *     └ thenSend      leaves only when that batch is on disk: votes and append acknowledgements
 *   committed         is applied, in order, exactly once
 *   snapshotsTo       are sent beside everything else, as slowly as need be
 *
 * Nothing else in dkv decides what may leave before the disk has answered. Source: Raft Fig. 2,
 * "persistent state … updated on stable storage before responding to RPCs"; Diss. §10.2.1 for the
 * leader, which may send while its own write runs.
 */
import type { ConfigurationAt } from "./configuration/configuration.ts";
import type { Snapshot } from "./log.ts";
import type { Message } from "./messages.ts";
import type { Entry, HardState, LogIndex, NodeId, ReadContext, RoleName, Term } from "./types.ts";

/** One batch for the disk. Report it with {@link RaftNode.persisted} once it is synced. */
export interface PersistBatch {
  /** Ascending by one. */
  readonly id: number;
  /** Undefined if unchanged since the batch before. */
  readonly hardState: HardState | undefined;
  /**
   * Takes the place of everything that is stored, log and state, before the entries are added. Its content
   * has been received, and reported with {@link RaftNode.snapshotReceived}.
   */
  readonly snapshot: Snapshot | undefined;
  /** Contiguous, perhaps empty. Replaces everything stored from the first one's index on. */
  readonly entries: readonly Entry[];
  /** May leave this process only when the batch is durable. */
  readonly thenSend: readonly Message[];
}

/** A confirmed read round: serve its readers once `index` is applied. */
export interface ReadState {
  readonly context: ReadContext;
  readonly index: LogIndex;
}

/** Who leads, as far as this node knows. Volatile. */
export interface SoftState {
  readonly role: RoleName;
  readonly term: Term;
  readonly leader: NodeId | undefined;
}

export interface Ready {
  readonly messages: readonly Message[];
  /** Undefined when there is nothing to write, or while the batch before is still being written. */
  readonly persist: PersistBatch | undefined;
  /**
   * Committed and durable here, and not handed out before. So the state machine never gets ahead of the log
   * on the same disk, whatever a crash leaves.
   */
  readonly committed: readonly Entry[];
  readonly readStates: readonly ReadState[];
  /** Read rounds that will never be confirmed because leadership changed: ask again. */
  readonly droppedReads: readonly ReadContext[];
  /** Present when it changed. */
  readonly softState: SoftState | undefined;
  /** The configuration in force, be it committed or not. Present when it changed. */
  readonly configuration: ConfigurationAt | undefined;
  /**
   * Followers that need what the log does not hold any more. Send each a snapshot of the state machine; it
   * answers as if it had been sent the entries. Say {@link RaftNode.snapshotFailed} if it cannot be sent.
   */
  readonly snapshotsTo: readonly NodeId[];
}

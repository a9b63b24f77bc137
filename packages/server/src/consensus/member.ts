/** The face that a member shows to the doors: all that they know of consensus and store. */
import type { NodeId, RoleName, Term, LogIndex } from "@dkv/raft";
import type {
  ApplyResult,
  AuthState,
  Caller,
  HistoryHash,
  KeyValue,
  Operation,
  PageBounds,
  RangeOperation,
  RangeResult,
  RefusedResult,
  Revision,
} from "@dkv/store";
import type { StateSnapshot } from "../storage/storage.ts";
import type { LeaseKeeper } from "./leases/lease-keeper.ts";
import type { Watches } from "./watch/watch.ts";

export { type LeaseKeeper, maxTtlSeconds } from "./leases/lease-keeper.ts";
export type { WatchEvent, WatchMessage, WatchSpec, WatchStream } from "./watch/watch.ts";

export interface MemberStatus {
  readonly clusterId: bigint;
  readonly memberId: NodeId;
  readonly name: string;
  readonly role: RoleName;
  readonly term: Term;
  /** Name of the leader this member follows (itself, if it leads); empty while there is none. */
  readonly leader: string;
  readonly leaderId: NodeId | undefined;
  readonly appliedIndex: LogIndex;
  /** Revision of the store. */
  readonly revision: number;
  /** Its state is known to differ from that of the others: it serves no reads and writes. */
  readonly isCorrupt: boolean;
}

/** What operators want to know of a member besides. */
export interface MemberDetails {
  readonly isLearner: boolean;
  /** The oldest revision that can be read; 0 if all can. */
  readonly compactRevision: Revision;
  /** Of the last entry that is known to be committed. */
  readonly commitIndex: LogIndex;
  /** Of the state on its disk, and of the log. */
  readonly dataBytes: number;
  readonly logBytes: number;
  /** Bytes of state from which on nothing is written that takes room; 0 for no such limit. */
  readonly quotaBytes: number;
  /** What is wrong, for people. */
  readonly alarms: readonly string[];
  /** Times, since it started, at which it came to know of a leader. */
  readonly leaderChanges: number;
  /** Writes that callers of this member wait for. */
  readonly waitingWrites: number;
  /** Writes, since it started, whose callers were not told what applying them gave. */
  readonly failedWrites: number;
}

/** A row of the membership table with what is known of it here and now. */
export interface MemberView {
  readonly id: NodeId;
  readonly name: string;
  readonly peerAddress: string;
  readonly clientAddress: string;
  /** Where clients reach it as URLs, if it was told some and has told us. */
  readonly clientUrls?: readonly string[];
  /** A learner receives the log and does not count for a majority. */
  readonly role: "voter" | "learner";
  readonly isLeader: boolean;
  readonly isReachable: boolean;
  /** Up to where the leader knows its log to agree and to be on its disk; undefined if nobody could say. */
  readonly match: LogIndex | undefined;
  /** Entries that its log lacks of the leader's; undefined if nobody could say. */
  readonly lag: number | undefined;
  /** Of dkv, as that member told; empty if it did not. */
  readonly version: string;
  /** Milliseconds since it was last heard, 0 for the answering member; undefined if never. */
  readonly lastContactMs: number | undefined;
  /** Whether its state is known to differ from that of the others: it serves no reads and writes. */
  readonly isCorrupt: boolean;
  /** The member whose place it takes once it has caught up, if it takes one's. */
  readonly replaces: NodeId | undefined;
}

/**
 * A change of who belongs to the cluster, by names. Each is idempotent: what is so already succeeds, and
 * changes nothing.
 */
export type MembershipChange =
  | {
      readonly kind: "join";
      readonly name: string;
      readonly peerAddress: string;
      /** Whether it becomes a voter only when somebody asks for it. Otherwise as the leader's flags say. */
      readonly staysLearner?: boolean | undefined;
    }
  | { readonly kind: "leave"; readonly name: string }
  /** Makes a learner a voter. */
  | { readonly kind: "promote"; readonly name: string }
  /** The one called `old` leaves and a new one comes, in one step. Both may have the same name. */
  | { readonly kind: "replace"; readonly old: string; readonly name: string; readonly peerAddress: string }
  /** A member has moved. */
  | { readonly kind: "update"; readonly name: string; readonly peerAddress: string };

/** What the comparison of all members' states says of one of them. */
export interface MemberCheck extends Pick<MemberView, "id" | "name" | "role"> {
  /**
   * Whether it has what a majority of the voters has; if there is none, whether all who answered have the
   * same as it.
   */
  readonly verdict: "agrees" | "differs" | "noAnswer";
  /** SHA-256; undefined if it gave no answer. */
  readonly hash?: Uint8Array;
  /** Of its store. */
  readonly revision?: number;
  /** Why there is no answer. */
  readonly reason?: string;
}

/** Something that is wrong with a member, as the whole cluster knows it. */
export interface MemberAlarm {
  readonly memberId: NodeId;
  /** Its state has reached its quota, or differs from that of the others. */
  readonly kind: "noSpace" | "corrupt";
}

export interface CheckReport {
  /** Of the log: the states right behind it were compared. */
  readonly index: LogIndex;
  /** Whether a majority of the voters has the same state. Without one, nobody can be said to be wrong. */
  readonly hasMajority: boolean;
  readonly members: readonly MemberCheck[];
}

/** What a command has done that was not refused. */
export type CommandResult = Exclude<ApplyResult, RefusedResult>;

export interface Member {
  readonly watches: Watches;
  readonly leases: LeaseKeeper;
  /**
   * Proposes, and resolves with what applying it gave on this member. On a follower the command goes to
   * the leader. Rejects with a DkvError whose `retry` says what is known of the outcome.
   *
   * @param timeoutMs how long the caller is willing to wait; the member's own limit is the upper bound.
   * @param caller on whose behalf; looked at where the command is applied, and needed while auth is enabled
   */
  propose(operation: Operation, timeoutMs?: number, caller?: Caller): Promise<CommandResult>;
  /** Who may do what, as far as this member has applied the log. Another object after each change. */
  readonly auth: AuthState;
  /**
   * Resolves when everything acknowledged anywhere before the call can be read here. Rejects with a DkvError.
   */
  readBarrier(timeoutMs?: number): Promise<void>;
  /** Reads local state, applied changes included that are not yet on disk. */
  get(key: Uint8Array): KeyValue | undefined;
  /**
   * The same for the keys of an interval, now or at an earlier revision. Rejects with a DkvError.
   *
   * @param page makes the answer a page: the first keys, and no more work than they take
   */
  range(operation: RangeOperation, page?: PageBounds): Promise<RangeResult>;
  status(): MemberStatus;
  /** Needs no quorum. Rejects with a DkvError. */
  details(): Promise<MemberDetails>;
  /**
   * Resolves when the history that was given up by now is removed from this member's disk. Rejects with a
   * DkvError if that takes longer.
   *
   * @param timeoutMs how long the caller is willing to wait; without it, as long as it takes.
   */
  historyRemoved(timeoutMs?: number): Promise<void>;
  /**
   * The latest configuration known here. What only the leader knows is asked of it; where it does not answer
   * that stays undefined, so this needs no quorum and never rejects.
   */
  members(timeoutMs?: number): Promise<readonly MemberView[]>;
  /**
   * Resolves when the change is committed. Works on any member; rejects with a DkvError that says why the
   * change was refused, or what is known of its outcome.
   *
   * @param timeoutMs how long the caller is willing to wait; the member's own limit is the upper bound.
   */
  changeMembership(change: MembershipChange, timeoutMs?: number): Promise<void>;
  /** Resolves when the voter with this name leads. Works on any member; rejects with a DkvError. */
  moveLeader(name: string, timeoutMs?: number): Promise<void>;
  /**
   * Compares what all members have stored. Who differs from a majority is put out of service. Reads the whole
   * state, on every member. Works on any member; rejects with a DkvError if the check itself was not
   * committed.
   *
   * @param timeoutMs how long members are waited for; those who take longer gave no answer.
   */
  check(timeoutMs?: number): Promise<CheckReport>;
  /** Those about members of this cluster. */
  alarms(): readonly MemberAlarm[];
  /**
   * Raises the alarm that a member has no space, or lifts it; nothing happens if it is so already. Who leads
   * lifts what a leader has raised, when it finds its state below the quota, and nothing else. Rejects with a
   * DkvError.
   */
  setNoSpace(memberId: NodeId, isRaised: boolean, timeoutMs?: number): Promise<void>;
  /** Of all changes up to a revision, 0 for the current one. Reads all of them. Rejects with a DkvError. */
  hashHistory(through: Revision): Promise<HistoryHash>;
  /** The state with everything in it that is applied here by now. To be closed. Rejects with a DkvError. */
  takeSnapshot(): Promise<StateSnapshot>;
}

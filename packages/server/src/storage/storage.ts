/**
 * What a member keeps on disk, as the rest of the server sees it: the log, which is what it promised, and
 * the state, which is what came of it and may lag behind.
 */
import type { Entry, HardState, LogReader, NodeId } from "@dkv/raft";
import type { Change, StateReader } from "@dkv/store";

/** Raised when what older versions wrote can no longer be read as it stands. */
export const formatVersion = 1;

/** Who this directory belongs to. Written at the first start, compared at every later one. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: NodeId;
}

/** A row of the membership table, as stored. */
export interface MemberRecord {
  readonly id: NodeId;
  readonly name: string;
  /** host:port, names kept as given and resolved at each dial. */
  readonly peerAddress: string;
}

/** What one turn of the member adds to the log: one record, one sync. */
export interface LogBatch {
  /** Undefined if unchanged. */
  readonly hardState: HardState | undefined;
  /** Replaces everything stored from the first one's index on. */
  readonly entries: readonly Entry[];
}

export interface Storage {
  readonly identity: Identity;
  /** The configuration the cluster was bootstrapped with. */
  readonly members: readonly MemberRecord[];
  /** As found when opening; the commit index covers everything that the state machine has applied. */
  readonly hardState: HardState;
  readonly log: LogReader;
  readonly state: StateReader;
  /**
   * Resolves when the batch is synced. One at a time; may block for as long as a fast disk takes.
   * After a rejection nothing may be written any more, neither here nor by {@link save}.
   */
  append(batch: LogBatch): Promise<void>;
  /**
   * Makes the store's changes durable, its applied index among them. All entries they come from must be
   * durable in the log. One at a time, beside {@link append}; does not block.
   */
  save(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

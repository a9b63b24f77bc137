/** What a member keeps on disk, as the rest of the server sees it. */
import type { Entry, HardState, LogReader, NodeId } from "@dkv/raft";
import type { Change, StateReader } from "@dkv/store";

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

/** All that one turn of the member makes durable: one LevelDB batch, one sync. */
export interface TurnBatch {
  readonly hardState: HardState | undefined;
  /** Replaces everything stored from the first one's index on. */
  readonly entries: readonly Entry[];
  /** The store's changes since the batch before, its applied index among them. */
  readonly changes: readonly Change[];
}

export interface Storage {
  readonly identity: Identity;
  /** The configuration the cluster was bootstrapped with. */
  readonly members: readonly MemberRecord[];
  /** As found when opening. */
  readonly hardState: HardState;
  readonly log: LogReader;
  readonly state: StateReader;
  /** Resolves when the batch is synced. One at a time. After a rejection nothing may be written any more. */
  write(batch: TurnBatch): Promise<void>;
  close(): Promise<void>;
}

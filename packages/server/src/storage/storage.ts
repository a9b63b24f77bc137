/**
 * What a member keeps on disk, as the rest of the server sees it: the log, which is what it promised, and
 * the state, which is what came of it and may lag behind.
 */
import type {
  Configuration,
  ConfigurationAt,
  Entry,
  EntryId,
  HardState,
  LogIndex,
  LogReader,
  NodeId,
} from "@dkv/raft";
import type { SnapshotHeader, SnapshotTrailer } from "@dkv/snapshot";
import type { RecordChange, StateScanner } from "@dkv/store";

/** Raised when what older versions wrote can no longer be read as it stands. */
export const formatVersion = 4;

/** What tells a member's files from any other's. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: NodeId;
}

/** Who this directory belongs to. Written at the first start, compared at every later one. */
export interface Owner extends Identity {
  readonly name: string;
}

/** Besides, which of all directories that the member ever had this one is. */
export interface StoredOwner extends Owner {
  /**
   * Drawn at random when the directory was made. A member that comes with another one has lost what it
   * promised.
   */
  readonly incarnation: bigint;
}

/** What one turn of the member adds to the log: one record, one sync. */
export interface LogBatch {
  /** Undefined if unchanged. */
  readonly hardState: HardState | undefined;
  /** Replaces everything stored from the first one's index on. */
  readonly entries: readonly Entry[];
}

/** Stands for everything up to `last`. */
export interface InstalledSnapshot {
  readonly last: EntryId;
  /** In force there. */
  readonly configuration: Configuration;
}

/** What one turn makes durable. */
export interface PersistedBatch extends LogBatch {
  /**
   * What was received by {@link Storage.receiveSnapshot} takes the place of log and state; the entries follow
   * `last`. Undefined in nearly every batch.
   */
  readonly snapshot?: InstalledSnapshot | undefined;
}

/** The durable state as it was at one moment. What it needs on disk stays until it is closed. */
export interface StateSnapshot {
  readonly header: SnapshotHeader;
  /** Those after the first `skip`, in their order; the same bytes every time. */
  chunks(skip: number): AsyncGenerator<Buffer, SnapshotTrailer>;
  close(): Promise<void>;
}

/** A snapshot that comes in chunk by chunk, and survives a crash in between. */
export interface IncomingSnapshot {
  readonly header: SnapshotHeader;
  /** Chunks that are durable here; the next one is one more. */
  readonly received: number;
  /** Resolves when the chunk is durable. One at a time, in order. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes sure that nothing is missing. From then on it may be installed. */
  finish(trailer: SnapshotTrailer): Promise<void>;
  /** Keeps what was received. */
  close(): Promise<void>;
}

export interface Storage {
  readonly identity: StoredOwner;
  /** The one in force before the log's first entry, then each that an entry of the log made. */
  readonly configurations: readonly [ConfigurationAt, ...ConfigurationAt[]];
  /** As found when opening; the commit index covers everything that the state machine has applied. */
  readonly hardState: HardState;
  /** The same object for good; what it reads changes with an installed snapshot. */
  readonly log: LogReader;
  /** As {@link log}. */
  readonly state: StateScanner;
  /** Size of the log's files in bytes. {@link compact} makes it less. */
  readonly logBytes: number;
  /** Size of the state's files in bytes, about. Cheap, and no reason to ask for each request. */
  stateBytes(): Promise<number>;
  /**
   * Has the disk give back the space of what was deleted from the state: otherwise that happens as more is
   * written. Rewrites much of it, beside everything else.
   */
  reclaimState(): Promise<void>;
  /**
   * Resolves when the batch is synced. One at a time; may block for as long as a fast disk takes.
   * After a rejection nothing may be written any more, neither here nor by {@link save}. A batch with a
   * snapshot takes longer, does not block, and requires that nothing is saved meanwhile.
   */
  append(batch: PersistedBatch): Promise<void>;
  /**
   * Makes the store's changes durable, its applied index among them. All entries they come from must be
   * durable in the log. One at a time, beside {@link append}; does not block.
   */
  save(changes: readonly RecordChange[]): Promise<void>;
  /**
   * Drops files of the log in which all entries are up to `upTo`, and are applied in the durable state. The
   * log's first index rises before the first file goes. One at a time, beside the others; does not block.
   */
  compact(upTo: LogIndex): Promise<void>;
  /** Of what is durable at this moment. To be closed. */
  takeSnapshot(): StateSnapshot;
  /**
   * Goes on with what was received of this very snapshot, or begins anew. One is received at a time: another
   * that is not complete is closed. A complete one can still be installed, unless two more have come in
   * since.
   */
  receiveSnapshot(header: SnapshotHeader): Promise<IncomingSnapshot>;
  /** Deletes a complete one that nobody is going to install. Does nothing if there is none with this header. */
  dropReceived(header: SnapshotHeader): Promise<void>;
  close(): Promise<void>;
}

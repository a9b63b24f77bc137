/** What is on a disk: bytes that survive whatever happens to the process, and nothing else. */
import type { Configuration, ConfigurationAt, EntryId } from "@dkv/raft";
import type { SnapshotProgress } from "@dkv/snapshot";
import type { StoredOwner } from "@dkv/server/storage/storage";

/** A record of the log as it lies there, encoded by the production codec. */
export interface StoredRecord {
  bytes: Buffer;
  readonly number: number;
}

/** Where the log begins. */
export interface StoredBase {
  readonly last: EntryId;
  readonly configuration: ConfigurationAt;
  /** Number of the first record. */
  readonly record: number;
  /** The checksum that it continues. */
  readonly chain: number;
}

/** Records of the state machine, by their key as a byte string. */
export type StateRecords = Map<string, Buffer>;

/** What the newest save of the state says of the log: as much of it must be there. */
export interface StoredMarker {
  readonly appliedIndex: number;
  readonly durableRecord: number;
}

/** A log and a state that belong together. */
export interface Generation {
  base: StoredBase;
  records: StoredRecord[];
  state: StateRecords;
  marker: StoredMarker;
}

/** A snapshot that has come in, or a part of it. */
export interface StoredSnapshot {
  readonly header: Buffer;
  readonly state: StateRecords;
  progress: SnapshotProgress;
}

export interface Platter {
  owner: StoredOwner | undefined;
  current: Generation;
  /** Undefined if nothing is on its way in. */
  incoming: StoredSnapshot | undefined;
  /** Something was changed behind the back of whoever wrote it. */
  isDamaged: boolean;
}

/** An empty disk on which a member begins. */
export function emptyPlatter(configuration: Configuration): Platter {
  return {
    owner: undefined,
    current: freshGeneration(
      { index: 0, term: 0 } as EntryId,
      { index: 0, configuration } as ConfigurationAt,
    ),
    incoming: undefined,
    isDamaged: false,
  };
}

export function freshGeneration(last: EntryId, configuration: ConfigurationAt): Generation {
  return {
    base: { last, configuration, record: 1, chain: 0 },
    records: [],
    state: new Map(),
    marker: { appliedIndex: last.index, durableRecord: 0 },
  };
}

export const keyText = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");

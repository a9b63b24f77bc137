/** The state as it was at one moment, in chunks of the production codec. */
import { type Configuration, logIndex, type LogIndex, term } from "@dkv/raft";
import { DamageError } from "@dkv/server/storage/damage";
import type { StateSnapshot } from "@dkv/server/storage/storage";
import { chunksOf, encodeHeader, type StateRecord } from "@dkv/snapshot";
import { checkRecord, DamagedRecordError, readPosition } from "@dkv/store";
import { keyText, type StateRecords } from "./platter.ts";

export interface SnapshotOptions {
  readonly snapshotId: bigint;
  readonly clusterId: bigint;
  readonly configurationAt: (index: LogIndex) => Configuration;
  readonly chunkBytes: number;
}

export function takeSnapshot(state: StateRecords, options: SnapshotOptions): StateSnapshot {
  const frozen = new Map(state);
  const { appliedIndex, appliedTerm, revision } = readPosition({ get: (key) => frozen.get(keyText(key)) });
  const { snapshotId, clusterId, configurationAt, chunkBytes } = options;
  const last = { index: logIndex(appliedIndex), term: term(appliedTerm) };
  const header = { snapshotId, clusterId, last, configuration: configurationAt(last.index), revision };
  return {
    header,
    chunks: (skip) => chunksOf(recordsOf(frozen), { header: encodeHeader(header), skip, chunkBytes }),
    close: () => Promise.resolve(),
  };
}

/** In the order of their keys; each is looked at, as the production one does. */
async function* recordsOf(state: StateRecords): AsyncGenerator<StateRecord> {
  const keys = [...state.keys()].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (const text of keys) {
    const key = Buffer.from(text, "latin1");
    const value = state.get(text) ?? Buffer.alloc(0);
    try {
      checkRecord(key, value);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      throw new DamageError(`the state cannot be passed on: ${error.message}`, { cause: error });
    }
    yield [key, value];
  }
}

/**
 * A received snapshot becomes the next generation, and then the current one.
 *
 *   1  log     one record: the hard state, and the entries that follow the snapshot
 *   2  db      whose it is, where the log begins, the first marker; it is no received snapshot any more
 *   3  file    says that this generation is current
 *
 * Each step is durable before the next begins. Until the last one is, a start goes on with the generation
 * before, of which nothing was changed.
 */
import type { Configuration, EntryId, HardState } from "@dkv/raft";
import { assert } from "../../platform/assert.ts";
import { createLog, openCreated } from "../log/create-log.ts";
import { freshBase, type LogBase } from "../log/log-base.ts";
import { syncDirectory } from "../log/segment-file.ts";
import { SegmentedLog } from "../log/segmented-log.ts";
import { incomingKey } from "../state/keyspace.ts";
import type { Database } from "../state/leveldb.ts";
import { sealBase, sealIdentity, sealMarker, type Marker } from "../state/records.ts";
import { SavedState } from "../state/saved-state.ts";
import type { LogBatch, StoredOwner } from "../storage.ts";
import { writeGenerationFile } from "./generation-file.ts";
import { logOptions, type Generation, type GenerationOptions } from "./generation.ts";
import { databaseDirectory, generationDirectory } from "./layout.ts";

export interface Installation {
  /** Of the generation that it becomes. */
  readonly number: number;
  readonly identity: StoredOwner;
  /** The received state, in that generation's directory. */
  readonly database: Database;
  readonly last: EntryId;
  readonly configuration: Configuration;
  readonly hardState: HardState;
  readonly entries: LogBatch["entries"];
}

/** When this resolves, the generation is current; if it rejects, nobody knows until the next start. */
export async function install(installation: Installation, options: GenerationOptions): Promise<Generation> {
  const { number, identity, database, last, configuration, hardState, entries } = installation;
  assert(hardState.term >= last.term, "a snapshot is not of a later term than the current one");
  const base = freshBase(last, { index: last.index, configuration });
  const log = await createLogBehind(base, { number, identity }, options);
  await log.append({ hardState, entries }, 0);
  const marker = { batch: 1, oldestKept: 1, appliedIndex: last.index, durableRecord: log.lastRecord };
  await becomeState(database, { identity, base, marker });
  syncDirectory(databaseDirectory(options.dataDir, number));
  syncDirectory(generationDirectory(options.dataDir, number));
  syncDirectory(options.dataDir);
  writeGenerationFile(options.dataDir, number);
  return { number, database, log, savedState: new SavedState(database, marker, options.clock) };
}

async function createLogBehind(
  base: LogBase,
  { number, identity }: Pick<Installation, "number" | "identity">,
  options: GenerationOptions,
): Promise<SegmentedLog> {
  const log = logOptions(options, number, identity);
  await createLog(log);
  const { end, contents } = openCreated(log, base);
  return new SegmentedLog(log, end, { ...contents, clock: options.clock });
}

interface MetaRecords {
  readonly identity: StoredOwner;
  readonly base: LogBase;
  readonly marker: Marker;
}

async function becomeState(database: Database, { identity, base, marker }: MetaRecords): Promise<void> {
  const batch = database.batch();
  for (const { key, value } of [sealIdentity(identity), sealBase(base), sealMarker(marker)])
    batch.put(key, value);
  batch.delete(incomingKey);
  await batch.commit();
}

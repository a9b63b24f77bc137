/** The first generation: an empty log, and a state that nothing came of yet. */
import { noEntry, type Configuration } from "@dkv/raft";
import { createLog } from "../log/create-log.ts";
import { freshBase } from "../log/log-base.ts";
import { syncDirectory } from "../log/segment-file.ts";
import type { Database } from "../state/leveldb.ts";
import { sealBase, sealIdentity, sealMarker } from "../state/records.ts";
import type { StoredOwner } from "../storage.ts";
import { writeGenerationFile } from "./generation-file.ts";
import { logOptions, type GenerationOptions } from "./generation.ts";
import { firstGeneration, generationDirectory } from "./layout.ts";

export interface BootstrapOptions extends GenerationOptions {
  readonly identity: StoredOwner;
  readonly configuration: Configuration;
}

/**
 * Fills a database that is empty, or holds what a start that was cut short has left. Nothing may be promised
 * before the generation is current, which comes last.
 */
export async function bootstrap(database: Database, options: BootstrapOptions): Promise<void> {
  const { dataDir, identity, configuration } = options;
  await createLog(logOptions(options, firstGeneration, identity));
  const batch = database.batch();
  const records = [
    sealIdentity(identity),
    sealBase(freshBase(noEntry, { index: noEntry.index, configuration })),
    sealMarker({ batch: 1, oldestKept: 1, appliedIndex: noEntry.index, durableRecord: 0 }),
  ];
  for (const { key, value } of records) batch.put(key, value);
  await batch.commit();
  syncDirectory(generationDirectory(dataDir, firstGeneration));
  writeGenerationFile(dataDir, firstGeneration);
}

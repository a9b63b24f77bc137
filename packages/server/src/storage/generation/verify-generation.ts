/** Makes sure that a generation is whole before anything in it is believed. */
import { logIndex } from "@dkv/raft";
import { readPosition, type Position } from "@dkv/store";
import { DamageError } from "../damage.ts";
import { recoverLog, type RecoveredLog } from "../log/recover-log.ts";
import { SegmentedLog } from "../log/segmented-log.ts";
import type { Database } from "../state/leveldb.ts";
import type { Marker } from "../state/records.ts";
import { SavedState } from "../state/saved-state.ts";
import { verifyState } from "../state/verify.ts";
import type { Identity } from "../storage.ts";
import { logOptions, type Generation, type GenerationOptions } from "./generation.ts";

export interface FoundGeneration {
  readonly number: number;
  readonly database: Database;
  readonly identity: Identity;
}

/** Throws {@link DamageError}. Changes nothing before all of it was read. */
export async function verifyGeneration(
  { number, database, identity }: FoundGeneration,
  options: GenerationOptions,
): Promise<Generation> {
  const { base, marker } = await verifyState(database);
  const log = logOptions(options, number, identity);
  const { durableRecord } = marker;
  const recovered = await recoverLog({ ...log, base, durableRecord, clock: options.clock });
  checkAgreement(readPosition(database), marker, recovered);
  const dependencies = { ...recovered.contents, clock: options.clock };
  return {
    number,
    database,
    log: new SegmentedLog(log, recovered.settle(), dependencies),
    savedState: new SavedState(database, marker, options.clock),
  };
}

/** Log and state tell of each other how far they had come. */
function checkAgreement(position: Position, marker: Marker, { savedBatch, contents }: RecoveredLog): void {
  const { appliedIndex, appliedTerm } = position;
  if (marker.batch < savedBatch) {
    throw new DamageError(
      `batches ${String(marker.batch + 1)} to ${String(savedBatch)} of the state were synced and are missing, ` +
        `and with them what came of the log after entry ${String(appliedIndex)}`,
    );
  }
  if (contents.terms.at(logIndex(appliedIndex)) !== appliedTerm) {
    throw new DamageError(
      `log entry ${String(appliedIndex)}, which was applied last, is not in the log or not of term ${String(appliedTerm)}`,
    );
  }
}

/** A generation, open: log and state of a member, as {@link verifyGeneration} or an install leaves them. */
import type { Clock } from "../../platform/clock.ts";
import type { LogOptions } from "../log/log-end.ts";
import type { SegmentedLog } from "../log/segmented-log.ts";
import type { Database } from "../state/leveldb.ts";
import type { SavedState } from "../state/saved-state.ts";
import type { Identity } from "../storage.ts";
import { logDirectory } from "./layout.ts";

export interface Generation {
  readonly number: number;
  readonly log: SegmentedLog;
  readonly database: Database;
  readonly savedState: SavedState;
}

/** What is the same for all generations of a directory. */
export interface GenerationOptions {
  readonly dataDir: string;
  /** Size of the log's files; 16 MiB unless said otherwise. */
  readonly segmentBytes?: number;
  readonly clock: Pick<Clock, "nowMs" | "soon">;
}

/** At full load a segment lasts some seconds; a small one costs a pause of a millisecond more often. */
const defaultSegmentBytes = 16 * 2 ** 20;

/** Entries kept in memory, for followers that are a little behind. */
const recentEntriesBytes = 8 * 2 ** 20;

export function logOptions(
  { dataDir, segmentBytes = defaultSegmentBytes }: GenerationOptions,
  number: number,
  identity: Identity,
): LogOptions {
  const directory = logDirectory(dataDir, number);
  return { directory, identity, segmentBytes, recentBytes: recentEntriesBytes };
}

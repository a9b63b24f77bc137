import type { Entry, LogIndex, Term } from "./types.ts";

/**
 * The durable part of the log, as the core reads it. Synchronous: what the leader needs to send is
 * either in a cache or one point read away.
 *
 * firstIndex may rise between two calls, as far as entries are applied: what lies before is dropped.
 *
 * Invariants: indices run without a gap from firstIndex to lastIndex; terms never decrease. A batch
 * given out in a {@link Ready} is visible here at the latest when `persisted` is called for it.
 */
export interface LogReader {
  /** Index of the first entry still held; 1 for a log that was never compacted. */
  readonly firstIndex: LogIndex;
  /** Index of the last durable entry; firstIndex - 1 for an empty log. */
  readonly lastIndex: LogIndex;
  /** Term of the entry at `index`, also at firstIndex - 1 (0 for index 0); undefined outside. */
  termAt(index: LogIndex): Term | undefined;
  /**
   * Entries from `from` up to and without `to`, both within the log: at least one, then as many as fit
   * in `maxBytes` of data.
   */
  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[];
}

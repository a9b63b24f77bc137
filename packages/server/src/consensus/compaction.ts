/** How much of the log is kept. Pure. */
import { type LogIndex, logIndex, minIndex } from "@dkv/raft";

export interface CompactionLimits {
  /** The log is compacted when it holds so many applied entries more than those that are kept. */
  readonly snapshotCount: number;
  /** Applied entries kept for followers that are a little behind; who needs more gets a snapshot. */
  readonly catchupEntries: number;
  /** With more than that on disk, {@link fewEntries} are kept. */
  readonly maxBytes: number;
}

/**
 * With so many times `maxBytes` on disk, followers that get a snapshot are not waited for: one that is so slow
 * needs another snapshot then.
 */
const largestShare = 4;

/** As many as may be on their way to a follower that is not behind at all. */
const fewEntries = 256;

/** The log as it is. */
export interface LogExtent {
  readonly firstIndex: LogIndex;
  /** Durably applied up to here. */
  readonly applied: LogIndex;
  readonly bytes: number;
  /** A follower that is on its way goes on behind this index. */
  readonly keepAfter: LogIndex | undefined;
}

/** The index up to which the log may go; undefined if nothing should. */
export function compactionPoint(
  { snapshotCount, catchupEntries, maxBytes }: CompactionLimits,
  { firstIndex, applied, bytes, keepAfter = applied }: LogExtent,
): LogIndex | undefined {
  const isLarge = bytes > maxBytes;
  const kept = isLarge ? Math.min(catchupEntries, fewEntries) : catchupEntries;
  const entries = applied - firstIndex + 1;
  if (!isLarge && entries < snapshotCount + catchupEntries) return undefined;
  const wanted = logIndex(Math.max(0, applied - kept));
  const upTo = bytes > largestShare * maxBytes ? wanted : minIndex(wanted, keepAfter);
  return upTo < firstIndex ? undefined : upTo;
}

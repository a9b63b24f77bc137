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

/** As many as may be on their way to a follower that is not behind at all. */
const fewEntries = 256;

/** The log as it is. */
export interface LogExtent {
  readonly firstIndex: LogIndex;
  /** Durably applied up to here. */
  readonly applied: LogIndex;
  readonly bytes: number;
  /** A follower that gets a snapshot goes on behind this index. */
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
  const upTo = minIndex(logIndex(Math.max(0, applied - kept)), keepAfter);
  return upTo < firstIndex ? undefined : upTo;
}

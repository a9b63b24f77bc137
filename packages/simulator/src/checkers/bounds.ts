/**
 * Bounded memory: nothing that waits grows without end. Looked at now and then, as it is not about one event.
 * Each bound follows from what the run has drawn, and is a few times what sound runs have come to.
 */
import type { Swarm } from "../faults/swarm.ts";
import { compactionBytes, maxCommittedBytes, maxInflightBytes } from "../process/settings.ts";
import { SafetyViolation } from "./truth.ts";

export interface Sizes {
  /** Events that are going to happen. */
  readonly pendingEvents: number;
  /** Written to a connection and not taken by the other side, the most of any. */
  readonly queuedBytes: number;
  /** Applied and not saved, of any member. */
  readonly unsavedBytes: number;
  /** Of any log. */
  readonly logBytes: number;
}

/** Of an entry beside its value, and of small things that nobody counts. */
const entryOverhead = 300;
const slack = 1 << 16;

/** A fault may hold a disk or a link up for that long, and a bit. */
const longestHoldS = 10;

export function boundsOf({ workload, settings }: Pick<Swarm, "workload" | "settings">): Sizes {
  const { clients, thinkMs, valueBytes } = workload;
  const { inflightMessages, maxAppendBytes, snapshotCount, catchupEntries } = settings;
  const entryBytes = valueBytes + entryOverhead;
  const messageBytes = maxAppendBytes + entryBytes;
  const inflight = Math.min(maxInflightBytes, inflightMessages * messageBytes) + messageBytes;
  const writtenWhileHeld = longestHoldS * ((clients * 1000) / thinkMs) * entryBytes;
  const keptEntries = (snapshotCount + catchupEntries) * entryBytes;
  return {
    pendingEvents: 6000,
    // Twice what may be on its way; besides that there are what is handed on, and a chunk of a snapshot.
    queuedBytes: 2 * (inflight + clients * entryBytes + settings.chunkBytes) + slack,
    unsavedBytes: writtenWhileHeld + Math.min(maxCommittedBytes, keptEntries) + slack,
    // Compaction waits for a follower that gets a snapshot, as long as that does not take too much.
    logBytes: 2 * (Math.min(compactionBytes, keptEntries) + writtenWhileHeld) + slack,
  };
}

export function checkBounds(sizes: Sizes, bounds: Sizes): void {
  for (const [name, most] of Object.entries(bounds) as [keyof Sizes, number][]) {
    if (sizes[name] > most)
      throw new SafetyViolation(
        `${name} has grown to ${String(sizes[name])}, and may not exceed ${String(most)}`,
      );
  }
}

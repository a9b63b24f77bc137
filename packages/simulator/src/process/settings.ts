/**
 * With what every member of a run is started. Small limits, so that what is rare elsewhere is common here.
 */
import type { RaftConfig } from "@dkv/raft";
import type { ReplicaOptions } from "@dkv/server/consensus/replica";
import type { Random } from "@dkv/server/platform/random";

export interface Settings {
  /**
   * A turn of the event loop takes about so long; what arrives meanwhile shares the next one. Microseconds.
   */
  readonly turnUs: number;
  readonly tickMs: number;
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly snapshotCount: number;
  readonly catchupEntries: number;
  /** Bytes of a snapshot's chunk. */
  readonly chunkBytes: number;
  readonly maxAppendBytes: number;
  readonly inflightMessages: number;
  /** Of the cache of values. */
  readonly cacheBytes: number;
  /** Changes that one entry looks at which removes history. */
  readonly pieceChanges: number;
  readonly checkIntervalMs: number | undefined;
}

export const frameBytes = 4 * 2 ** 20;
export const reserveBytes = 1000;
export const maxInflightBytes = 1 << 20;
export const maxCommittedBytes = 1 << 18;
/** Of a log, after which it is compacted whatever the number of its entries. */
export const compactionBytes = 1 << 20;

export function raftConfigOf(settings: Settings, id: RaftConfig["id"], random: Random): RaftConfig {
  const { tickMs, electionTimeoutMs, heartbeatMs, maxAppendBytes, inflightMessages } = settings;
  return {
    id,
    electionTicks: Math.round(electionTimeoutMs / tickMs),
    heartbeatTicks: Math.max(1, Math.round(heartbeatMs / tickMs)),
    maxInflightMessages: inflightMessages,
    maxInflightBytes,
    maxAppendBytes,
    maxUncommittedBytes: 1 << 20,
    maxCommittedBytes,
    random: (bound) => random.below(Math.ceil(bound / 2)),
  };
}

export function replicaOptionsOf(settings: Settings, name: string): ReplicaOptions {
  const { tickMs, electionTimeoutMs, snapshotCount, catchupEntries, checkIntervalMs } = settings;
  return {
    name,
    version: "simulated",
    clientAddress: "",
    advertisedNodes: new Map(),
    tickMs,
    electionTimeoutMs,
    requestTimeoutMs: 5000,
    proposalLimits: { count: 1000, bytes: 1 << 20 },
    proposingLimits: { turnBytes: 1 << 16, heldBytes: 1 << 18 },
    waitingReads: 1000,
    watches: {
      streams: 100,
      watches: 1000,
      streamBytes: 1 << 14,
      queuedBytes: 1 << 18,
      historyBytes: 1 << 14,
    },
    compaction: { snapshotCount, catchupEntries, maxBytes: compactionBytes },
    autopilot: { autoPromote: true, cleanupAfterMs: undefined },
    checkIntervalMs,
    autoCompaction: undefined,
    quotaBytes: 0,
  };
}

/** The limits that a member runs with. ARCHITECTURE.md lists what happens at each. */
import type { RaftConfig } from "@dkv/raft";
import type { Config } from "../config/config.ts";
import type { ReplicaOptions } from "../consensus/replica.ts";
import type { Random } from "../platform/random.ts";
import { version } from "../version.ts";

const mebibyte = 2 ** 20;

/**
 * The finest step of time in consensus. Ten to a default heartbeat, so that election timeouts rarely collide.
 */
const tickMs = 10;

/** How long a request is waited for when its sender names no deadline: a failover fits in. */
const requestTimeoutMs = 5_000;

export const limits = {
  /** Values kept in memory for reads. */
  cacheBytes: 16 * mebibyte,
  /** One AppendEntries message. */
  appendBytes: 1 * mebibyte,
  /** Sent to one follower and not yet acknowledged. */
  inflightMessages: 256,
  inflightBytes: 16 * mebibyte,
  /** Appended by a leader and not yet committed. */
  uncommittedBytes: 64 * mebibyte,
  /** Applied in one turn. */
  committedBytes: 4 * mebibyte,
  /** One frame from a peer. */
  frameBytes: 64 * mebibyte,
  /** Waited for by callers at once. */
  proposals: { count: 20_000, bytes: 64 * mebibyte },
  /**
   * A frame to the leader takes one turn's commands, or one as large as `--max-request-bytes` may allow: with
   * room to spare within `frameBytes`.
   */
  proposing: { turnBytes: 16 * mebibyte, heldBytes: 64 * mebibyte },
  reads: 50_000,
  /**
   * Streams of watches, and watches in all of them, each of which takes less than a kibibyte. What is queued
   * for a client that reads slowly, and for all together; beyond that they read history, so much at a time.
   */
  watches: {
    streams: 20_000,
    watches: 500_000,
    streamBytes: 1 * mebibyte,
    queuedBytes: 64 * mebibyte,
    historyBytes: 1 * mebibyte,
  },
  /** The log on disk, beyond which entries are kept for no follower. */
  logBytes: 512 * mebibyte,
} as const;

export function raftConfig(config: Config, id: RaftConfig["id"], random: Random): RaftConfig {
  return {
    id,
    electionTicks: Math.round(config.electionTimeoutMs / tickMs),
    heartbeatTicks: Math.max(1, Math.round(config.heartbeatIntervalMs / tickMs)),
    maxInflightMessages: limits.inflightMessages,
    maxInflightBytes: limits.inflightBytes,
    maxAppendBytes: limits.appendBytes,
    maxUncommittedBytes: limits.uncommittedBytes,
    maxCommittedBytes: limits.committedBytes,
    // Half the range that the core offers: a failover then takes at most one and a half election timeouts.
    random: (bound) => random.below(Math.ceil(bound / 2)),
  };
}

export function replicaOptions(config: Config): ReplicaOptions {
  const { snapshotCount, snapshotCatchupEntries: catchupEntries } = config;
  return {
    name: config.name,
    version,
    clientAddress: config.advertiseClientAddress,
    clientUrls: config.advertiseClientUrls,
    advertisedNodes: config.advertisedNodes,
    tickMs,
    electionTimeoutMs: config.electionTimeoutMs,
    requestTimeoutMs,
    proposalLimits: limits.proposals,
    proposingLimits: limits.proposing,
    waitingReads: limits.reads,
    watches: limits.watches,
    compaction: { snapshotCount, catchupEntries, maxBytes: limits.logBytes },
    checkIntervalMs: config.corruptCheckIntervalMs,
    autoCompaction: config.autoCompaction,
    quotaBytes: config.quotaBytes,
    autopilot: { autoPromote: config.autoPromote, cleanupAfterMs: config.autopilotCleanupAfterMs },
  };
}

import { assert } from "./assert.ts";
import type { TraceEvent } from "./trace.ts";
import type { NodeId } from "./types.ts";

/** What a node is told when it starts. All limits are per node; bytes count the data of entries. */
export interface RaftConfig {
  readonly id: NodeId;
  /** Least election timeout; each node draws its own below twice this. Source: Raft §5.2. */
  readonly electionTicks: number;
  /** Ticks between two heartbeats of a leader. */
  readonly heartbeatTicks: number;
  /** Appends on their way to one follower and not yet acknowledged. */
  readonly maxInflightMessages: number;
  /** Bytes on their way to one follower; the append that reaches the limit is still sent. */
  readonly maxInflightBytes: number;
  /** Bytes in one append, which always may hold one entry. */
  readonly maxAppendBytes: number;
  /** Bytes a leader has accepted and not yet handed out as committed. */
  readonly maxUncommittedBytes: number;
  /** Bytes of committed entries in one {@link Ready}, which always may hold one entry. */
  readonly maxCommittedBytes: number;
  /** A whole number from 0 up to and without `bound`. Spreads election timeouts. */
  readonly random: (bound: number) => number;
  /** Hears what happens inside, for logs and tests. Must not call the node. */
  readonly trace?: (event: TraceEvent) => void;
}

/** Asserts the relations between the values that the algorithm depends on. */
export function checkConfig(config: RaftConfig): void {
  assert(config.heartbeatTicks >= 1, "heartbeatTicks >= 1");
  assert(config.electionTicks > config.heartbeatTicks, "electionTicks > heartbeatTicks");
  assert(config.maxInflightMessages >= 1, "maxInflightMessages >= 1");
  assert(config.maxInflightBytes >= 1, "maxInflightBytes >= 1");
  assert(config.maxAppendBytes >= 1, "maxAppendBytes >= 1");
  assert(config.maxUncommittedBytes >= 1, "maxUncommittedBytes >= 1");
  assert(config.maxCommittedBytes >= 1, "maxCommittedBytes >= 1");
}

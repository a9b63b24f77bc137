/** What a member is told when it is put together. */
import type { Logger } from "pino";
import type { RaftNode } from "@dkv/raft";
import type { Store } from "@dkv/store";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import type { Storage } from "../storage/storage.ts";
import type { PeerTransport } from "../transport/peer-transport.ts";
import type { CompactionLimits } from "./compaction.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { DutiesOptions } from "./duties.ts";
import type { AutopilotOptions } from "./membership/autopilot.ts";
import type { ProposalLimits } from "./proposals.ts";
import type { ProposingLimits } from "./proposing.ts";
import type { WatchLimits } from "./watch/hub.ts";

export interface ReplicaOptions extends DutiesOptions {
  readonly name: string;
  /** Of dkv. */
  readonly version: string;
  /** Where clients reach this member; empty if unknown. */
  readonly clientAddress: string;
  /** The same, as URLs, if it was told some. */
  readonly clientUrls?: readonly string[] | undefined;
  /** Where clients reach members, by name, as the flags say. */
  readonly advertisedNodes: ReadonlyMap<string, string>;
  readonly tickMs: number;
  readonly electionTimeoutMs: number;
  /** The longest a write or a read is waited for. */
  readonly requestTimeoutMs: number;
  readonly proposalLimits: ProposalLimits;
  readonly proposingLimits: ProposingLimits;
  readonly waitingReads: number;
  readonly watches: WatchLimits;
  readonly compaction: CompactionLimits;
  readonly autopilot: AutopilotOptions;
  /** How often a leader compares what the members have stored; undefined: only when it is asked to. */
  readonly checkIntervalMs: number | undefined;
}

export interface ReplicaDeps {
  readonly node: RaftNode;
  readonly store: Store;
  readonly storage: Storage;
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whoever measures the disk tells it. */
  readonly reserve: DiskReserve;
  readonly proposer: bigint;
  readonly random: Random;
  /** This member was removed from the cluster. May be called more than once. */
  readonly onRemoved: () => void;
  readonly fatal: (error: unknown) => void;
}

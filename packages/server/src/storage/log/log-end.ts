import type { HardState } from "@dkv/raft";
import type { Identity } from "../storage.ts";
import type { OpenSegment } from "./segment-file.ts";

export interface LogOptions {
  readonly directory: string;
  readonly identity: Identity;
  /** Size of a segment. One that takes a larger record is larger. */
  readonly segmentBytes: number;
  /** Bounds the newest entries that are kept in memory, for followers that are a little behind. */
  readonly recentBytes: number;
}

/** Where the log ends. */
export interface LogEnd {
  readonly segment: OpenSegment;
  /** Behind the last record. */
  readonly offset: number;
  /** What the next record's checksum continues. */
  readonly chain: number;
  /** Number of the last record. */
  readonly number: number;
  readonly hardState: HardState;
}

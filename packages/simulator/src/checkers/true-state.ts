/** What a store consists of, for the one that others are compared with. */
import type { ApplyResult } from "@dkv/store";

/** Of a key; undefined while there is none. */
export interface TrueVersion {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

export interface TrueLease {
  readonly grantedTtl: bigint;
  readonly remainingTtl: bigint;
  /** Of the entry that granted it. */
  readonly grantedIndex: number;
}

export interface TrueState {
  readonly current: ReadonlyMap<string, TrueVersion>;
  readonly leases: ReadonlyMap<bigint, TrueLease>;
  readonly revision: number;
  readonly compactRevision: number;
  /** Keys as they were. */
  at(revision: number): ReadonlyMap<string, TrueVersion>;
}

/** Nothing is changed by what throws it. */
export class Refused extends Error {
  readonly reason: Extract<ApplyResult, { kind: "refused" }>["reason"];

  constructor(reason: Refused["reason"]) {
    super(reason);
    this.reason = reason;
  }
}

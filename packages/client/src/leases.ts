/** What a cluster says of leases, in plain values. */
import type { KeyValue } from "./keys.ts";
import type { Header } from "./results.ts";

export interface GrantResult {
  readonly id: bigint;
  /** For how long it lives without being kept alive. May be more than was asked for. */
  readonly ttlSeconds: number;
  readonly header: Header;
}

export interface KeepAliveResult {
  /** For how long it lives from now on. */
  readonly ttlSeconds: number;
  readonly header: Header;
}

export interface RevokeResult {
  /** Whether it was there. */
  readonly revoked: boolean;
  readonly header: Header | undefined;
}

export interface LeaseInfo {
  readonly id: bigint;
  readonly grantedTtlSeconds: number;
  /** What is left of it. */
  readonly ttlSeconds: number;
  /** Those that are deleted with it, without values, if that was asked for. */
  readonly keys: readonly KeyValue[];
  readonly header: Header;
}

export interface LeasesResult {
  readonly ids: readonly bigint[];
  readonly header: Header;
}

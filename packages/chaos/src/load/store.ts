/** What the load asks of a cluster, by whichever API. What fails is a DkvClientError, whose `retry` says what is known. */
import type { TxnOperation } from "@dkv/client";
import type { Member } from "@dkv/cluster";

/** All that begin so. */
export interface Prefix {
  readonly prefix: string;
}

export interface FoundKey {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface FoundKeys {
  readonly found: readonly FoundKey[];
  readonly header: AtRevision;
}

/** Where an answer was given; of a write, what it made. */
export interface AtRevision {
  readonly revision: number;
}

export type OperationResult =
  | { readonly kind: "get"; readonly found: readonly FoundKey[] }
  | { readonly kind: "delete"; readonly deleted: number }
  | { readonly kind: "set" | "txn" };

export interface TxnAnswer {
  readonly results: readonly OperationResult[];
  readonly header: AtRevision;
}

/** Changes, and that there are no others up to that revision. */
export interface Batch {
  readonly revision: number;
  readonly events: readonly { readonly kind: "set" | "delete"; readonly kv: FoundKey }[];
}

export interface WatchFrom {
  readonly startRevision: number;
  readonly signal: AbortSignal;
  /** Called when the member is lost that told the changes. */
  readonly onReconnect: () => void;
}

export interface Store {
  get(key: string): Promise<{ readonly value: Uint8Array } | undefined>;
  set(key: string, value: string, options?: SetOptions): Promise<unknown>;
  delete(key: string): Promise<{ readonly deleted: boolean }>;
  /** Does all of it, as one change. */
  txn(txn: { readonly success: readonly TxnOperation[] }): Promise<TxnAnswer>;
  listPage(
    keys: Prefix,
    options?: { readonly limit?: number; readonly revision?: number },
  ): Promise<FoundKeys>;
  watch(keys: Prefix, from: WatchFrom): { batches(): AsyncIterable<Batch> };
  compact(revision: number): Promise<unknown>;
  grantLease(ttlSeconds: number): Promise<{ readonly id: bigint; readonly ttlSeconds: number }>;
  /** One that is gone is `lease_not_found`. */
  keepLeaseAlive(lease: bigint): Promise<{ readonly ttlSeconds: number }>;
  revokeLease(lease: bigint): Promise<unknown>;
}

export interface SetOptions {
  readonly lease?: bigint;
  /** A lease of its own, which nobody keeps alive. */
  readonly ttlSeconds?: number;
}

/** Clients of the cluster as it is now. */
export interface Access<Client> {
  /** One that knows all members. */
  all(): Client;
  /** One that knows this member only, though it may be told of the leader. */
  of(member: Member): Client;
  /** The client that some loop takes in its next round: of each member in turn, and of all. */
  next(turn: number): Client;
}

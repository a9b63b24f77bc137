/** What doors know of leases, beside the commands that grant and revoke them. */
import type { LeaseId } from "@dkv/store";

/**
 * The most that a lease is granted, as etcd: some 285 years. A number of milliseconds is exact for that.
 */
export const maxTtlSeconds = 9_000_000_000n;

/** In seconds. */
export interface LeaseTime {
  readonly grantedTtl: bigint;
  /** What is left, rounded up. */
  readonly remainingTtl: bigint;
}

export interface LeaseKeeper {
  /** An id that no lease has, as far as this member knows: positive, drawn at random. */
  newId(): LeaseId;
  /** The shortest time that is granted, in seconds: a leader has to be found before a lease runs out. */
  readonly leastTtl: bigint;
  /**
   * Gives a lease all of its time again. Works on any member; the leader is asked. Undefined if the lease is
   * gone, or about to go. Rejects with a DkvError.
   */
  keepAlive(id: LeaseId, timeoutMs?: number): Promise<LeaseTime | undefined>;
  /** As {@link keepAlive}, without giving it any time. */
  timeOf(id: LeaseId, timeoutMs?: number): Promise<LeaseTime | undefined>;
  /** Seconds that a lease was granted, as this member knows; undefined if there is none. Throws a DkvError. */
  grantedTtl(id: LeaseId): bigint | undefined;
  /** All there are, as this member knows. */
  list(): Promise<readonly LeaseId[]>;
  /** The keys of a lease in their order, as this member knows; empty if there is none. */
  keysOf(id: LeaseId): Promise<readonly Uint8Array[]>;
}

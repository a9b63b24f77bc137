/** The part of leases that is replicated: which there are, and which keys go with them. Time is the leader's. */
import type { CheckpointLeasesCommand } from "@dkv/protocol/dkv/peer/v1/command";
import type { ByteString } from "../bytes.ts";
import {
  attachmentKey,
  decodeLease,
  encodeAttachment,
  encodeLease,
  type Lease,
  leaseKey,
} from "../keyspace/lease-records.ts";
import { Refusal } from "../refusal.ts";
import type { Scope } from "../txn/scope.ts";
import { type LeaseId, noLease } from "../version.ts";

type Records = Pick<Scope, "record" | "put">;

/** Undefined if there is none. */
export function findLease(records: Pick<Scope, "record">, id: LeaseId): Lease | undefined {
  const key = leaseKey(id);
  const record = records.record(key);
  return record === undefined ? undefined : decodeLease(key, record);
}

/**
 * The lease that a leader meant when it had applied the log up to an index; undefined if that one is gone.
 * Another one may have got its id since.
 */
export function findMeant(records: Pick<Scope, "record">, id: LeaseId, applied: bigint): Lease | undefined {
  const lease = findLease(records, id);
  return lease !== undefined && BigInt(lease.grantedIndex) <= applied ? lease : undefined;
}

/** Throws the refusals `noLeaseId` and `leaseExists`. */
export function grant(
  records: Records,
  { id, ...granted }: { readonly id: LeaseId } & Pick<Lease, "grantedTtl" | "grantedIndex">,
): void {
  if (id === noLease) throw new Refusal("noLeaseId");
  if (findLease(records, id) !== undefined) throw new Refusal("leaseExists");
  putLease(records, id, { ...granted, remainingTtl: 0n });
}

/** Notes how much time leases have left; nothing happens to those that are gone. */
export function checkpoint(
  records: Records,
  { checkpoints, applied }: Pick<CheckpointLeasesCommand, "checkpoints" | "applied">,
): void {
  for (const { id, remainingTtl } of checkpoints) {
    const lease = findMeant(records, id, applied);
    if (lease !== undefined) putLease(records, id, { ...lease, remainingTtl });
  }
}

export function attach(records: Records, id: LeaseId, key: ByteString): void {
  const stored = attachmentKey(id, key);
  records.put({ key: stored, value: encodeAttachment(stored) });
}

export function detach(records: Records, id: LeaseId, key: ByteString): void {
  records.put({ key: attachmentKey(id, key), value: undefined });
}

/** Its keys have to be deleted by whoever ends it. */
export function end(records: Records, id: LeaseId): void {
  records.put({ key: leaseKey(id), value: undefined });
}

function putLease(records: Records, id: LeaseId, lease: Lease): void {
  const key = leaseKey(id);
  records.put({ key, value: encodeLease(key, lease) });
}

/** The operations that change keys. Each refuses before it changes anything. */
import type { DeleteCommand, SetCommand, SetIfCommand } from "@dkv/protocol/dkv/peer/v1/command";
import { type ByteString, toByteString } from "../bytes.ts";
import { attach, detach, findLease, grant } from "../lease/leases.ts";
import { type Found, keyValueOf } from "../read/found.ts";
import { Refusal } from "../refusal.ts";
import type { DeleteResult, KeyValue, SetResult } from "../results.ts";
import { type Facts, type LeaseId, noLease } from "../version.ts";
import type { Scope } from "./scope.ts";

/** @param isWithin whether it is a part of a transaction: as in etcd, then its key is looked for before its lease */
export function executeSet(scope: Scope, command: SetCommand, isWithin: boolean): SetResult {
  const key = toByteString(command.key);
  const isNamed = command.grantTtl === 0n && command.lease !== noLease && !command.keepLease;
  const hasNoLease = isNamed && findLease(scope, command.lease) === undefined;
  if (hasNoLease && !isWithin) throw new Refusal("leaseNotFound");
  const version = command.keepValue || command.wantPrevious ? scope.version(key) : undefined;
  const before: Facts | undefined = version ?? scope.facts(key);
  if ((command.keepValue || command.keepLease) && before === undefined) throw new Refusal("keyNotFound");
  if (hasNoLease) throw new Refusal("leaseNotFound");
  const lease = command.keepLease ? (before?.lease ?? noLease) : command.lease;
  if (command.grantTtl !== 0n)
    grant(scope, { id: lease, grantedTtl: command.grantTtl, grantedIndex: scope.entryIndex });
  const value = command.keepValue ? (version?.value ?? "") : toByteString(command.value);
  write(scope, { key, value, lease }, before);
  const previous = command.wantPrevious ? version && keyValueOf(key, version, version.value) : undefined;
  return { kind: "set", revision: scope.revision, previous };
}

export function executeSetIf(scope: Scope, command: SetIfCommand): SetResult {
  const key = toByteString(command.key);
  const before = scope.facts(key);
  if (BigInt(before?.modRevision ?? 0) !== command.modRevision)
    throw new Refusal(before === undefined ? "keyMissing" : "keyChanged");
  const { lease } = command;
  provideLease(scope, command);
  write(scope, { key, value: toByteString(command.value), lease }, before);
  return { kind: "set", revision: scope.revision, previous: undefined };
}

/** Grants the lease if there is time for one; else it has to be there. */
function provideLease(scope: Scope, { lease, grantTtl }: Pick<SetCommand, "lease" | "grantTtl">): void {
  if (grantTtl !== 0n) grant(scope, { id: lease, grantedTtl: grantTtl, grantedIndex: scope.entryIndex });
  else if (lease !== noLease && findLease(scope, lease) === undefined) throw new Refusal("leaseNotFound");
}

interface Written {
  readonly key: ByteString;
  readonly value: ByteString;
  readonly lease: LeaseId;
}

function write(scope: Scope, { key, value, lease }: Written, before: Facts | undefined): void {
  const made = {
    value,
    createRevision: before?.createRevision ?? scope.revision,
    version: (before?.version ?? 0) + 1,
    lease,
  };
  scope.set(key, made, before);
  moveLease(scope, key, { from: before?.lease ?? noLease, to: lease });
}

/** @param keys in their order; what is missing stays so */
export function executeDelete(
  scope: Scope,
  command: Pick<DeleteCommand, "wantPrevious">,
  keys: readonly ByteString[],
): DeleteResult {
  const found: Pick<Found, "key" | "facts">[] = [];
  const previous: KeyValue[] = [];
  for (const key of keys) {
    const version = command.wantPrevious ? scope.version(key) : undefined;
    const facts: Facts | undefined = version ?? scope.facts(key);
    if (facts !== undefined) found.push({ key, facts });
    if (version !== undefined) previous.push(keyValueOf(key, version, version.value));
  }
  return deleteFound(scope, found, previous);
}

/**
 * Deletes keys that exist, in their order.
 *
 * @param previous what of them is answered
 */
export function deleteFound(
  scope: Scope,
  found: readonly Pick<Found, "key" | "facts">[],
  previous: readonly KeyValue[],
): DeleteResult {
  for (const { key, facts: before } of found) {
    scope.delete(key, before);
    moveLease(scope, key, { from: before.lease, to: noLease });
  }
  const revision = scope.changes > 0 ? scope.revision : scope.revision - 1;
  return { kind: "delete", revision, deleted: found.length, previous };
}

function moveLease(
  scope: Scope,
  key: ByteString,
  { from, to }: { readonly from: LeaseId; readonly to: LeaseId },
): void {
  if (from === to) return;
  if (from !== noLease) detach(scope, from, key);
  if (to !== noLease) attach(scope, to, key);
}

/** What applying a command gives. Refusals are results too: every member computes the same ones. */
import type { LeaseId } from "./version.ts";

/** Counts the transactions that changed something; the store's clock. Starts at 1 for an empty store. */
export type Revision = number;

/** A key with its value and history. */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Sets since creation, counting the creating one. */
  readonly version: number;
  /** 0 for none. */
  readonly lease: LeaseId;
}

export interface SetResult {
  readonly kind: "set";
  /** The revision this write made. */
  readonly revision: Revision;
  /** What the key was before, if that was asked for and it existed. */
  readonly previous: KeyValue | undefined;
}

export interface DeleteResult {
  readonly kind: "delete";
  /** The revision this delete made, or the current one if nothing was deleted. */
  readonly revision: Revision;
  /** Keys. */
  readonly deleted: number;
  /** What they were before, in their order, if that was asked for. */
  readonly previous: readonly KeyValue[];
}

export interface RangeResult {
  readonly kind: "range";
  /** The one that was current. */
  readonly revision: Revision;
  /** In the order that was asked for. Without values if only keys were. */
  readonly found: readonly KeyValue[];
  /** Whether the limit has cut some off. */
  readonly hasMore: boolean;
  /** Keys of the interval, whatever the limit and the bounds of revisions. */
  readonly count: number;
}

export type OperationResult = SetResult | DeleteResult | RangeResult | TxnResult;

export interface TxnResult {
  readonly kind: "txn";
  /** The revision that its changes made, or the current one if there were none. */
  readonly revision: Revision;
  /** Whether all comparisons held. */
  readonly succeeded: boolean;
  /** Of the operations that were done, in their order. */
  readonly results: readonly OperationResult[];
}

export interface LeaseResult {
  readonly kind: "lease";
  /** The one that the deletion of its keys made, or the current one. */
  readonly revision: Revision;
}

export interface ExpiryResult {
  readonly kind: "expiry";
  readonly revision: Revision;
  /** Leases that are gone now and were there before. */
  readonly expired: readonly LeaseId[];
}

export interface CompactionResult {
  readonly kind: "compaction";
  readonly revision: Revision;
}

/** What etcd's HashKV says of the same history. */
export interface HistoryHash {
  readonly kind: "hash";
  /** The current one. */
  readonly revision: Revision;
  /** 32 bits. */
  readonly hash: number;
  /** The last one that was hashed. */
  readonly hashedRevision: Revision;
  /** The oldest one that could be read; -1 before the first compaction. Has an influence on the hash. */
  readonly compactRevision: Revision;
}

/** The state as it is now is to be compared with that of other members. */
export interface CheckResult {
  readonly kind: "check";
  /** Of the entry. */
  readonly index: number;
  /** The current one: a check makes none. */
  readonly revision: Revision;
}

export interface AlarmResult {
  readonly kind: "alarm";
  /** The current one: alarms make none. */
  readonly revision: Revision;
}

/** Who may do what has changed, or is so already. */
export interface AuthResult {
  readonly kind: "auth";
  /** The current one: changes of rules make none. */
  readonly revision: Revision;
}

/** What is said against a change of who may do what, or against its caller. */
export type AuthRefusalReason =
  /** The command names no user, or a user without a name is to be added. */
  | "userEmpty"
  /** What its caller may do was found out before the last change of the rules. */
  | "authRevisionOld"
  | "permissionDenied"
  /** There is to be a user root with the role root before there can be rules. */
  | "rootUserMissing"
  | "rootRoleMissing"
  | "userExists"
  | "userNotFound"
  | "roleEmpty"
  | "roleExists"
  | "roleNotFound"
  | "roleNotGranted"
  | "permissionNotGiven"
  | "permissionNotGranted"
  /** Nobody could change the rules any more; or a permission is for an interval that there cannot be. */
  | "invalidAuthManagement"
  /** All users and roles together take too much room. */
  | "authTooLarge";

/** Why a command was refused as a whole. */
export type RefusalReason =
  | AuthRefusalReason
  /** What it reads was given up by a compaction, or is to be given up again. */
  | "compacted"
  /** It reads a revision that there is not yet. */
  | "futureRevision"
  | "leaseNotFound"
  /** A lease was to be granted under 0, which is none. */
  | "noLeaseId"
  | "leaseExists"
  /** A set was to keep what a missing key has. */
  | "keyNotFound"
  /** A set was to be of a key that is as it was, and is missing now. */
  | "keyMissing"
  /** A set was to be of a key that is as it was, or missing. */
  | "keyChanged";

/** Nothing was changed. */
export interface RefusedResult {
  readonly kind: "refused";
  readonly revision: Revision;
  readonly reason: RefusalReason;
}

export type ApplyResult =
  | SetResult
  | DeleteResult
  | TxnResult
  | LeaseResult
  | ExpiryResult
  | CompactionResult
  | CheckResult
  | AlarmResult
  | AuthResult
  | RefusedResult;

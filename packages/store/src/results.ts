/** What applying a command gives. Refusals are results too: every member computes the same ones. */

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
}

export interface SetResult {
  readonly kind: "set";
  /** The revision this write made. */
  readonly revision: Revision;
}

export interface DeleteResult {
  readonly kind: "delete";
  /** The revision this delete made, or the current one if nothing was deleted. */
  readonly revision: Revision;
  readonly deleted: boolean;
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

export type ApplyResult = SetResult | DeleteResult | CheckResult | AlarmResult;

/** Transactions, and small words to write them with. */
import {
  checkBytes,
  checkCount,
  checkKeys,
  checkLease,
  checkLife,
  checkLimit,
  checkOptions,
  checkText,
  checkTtl,
  invalid,
  valueBytes,
} from "./checks.ts";
import type { Keys, KeyValue, LeaseRef } from "./keys.ts";
import { inTxn } from "./option-names.ts";
import type { Header } from "./results.ts";

/** What to do as one change, depending on what is so. */
export interface Txn {
  /** All of them have to hold for `success`; otherwise `failure` is done. None: they hold. At most 128. */
  readonly compares?: readonly Compare[];
  /**
   * At most 128, with all that are nested in it, and 48 transactions within each other. No key may be set
   * twice, nor be set and deleted.
   */
  readonly success?: readonly TxnOperation[];
  readonly failure?: readonly TxnOperation[];
}

/** Holds if it holds for each key that is there; if none is, it is that of a missing key. */
export interface Compare {
  readonly keys: Keys;
  readonly relation: "equal" | "notEqual" | "greater" | "less";
  readonly target:
    | { readonly kind: "version" | "createRevision" | "modRevision"; readonly operand: number }
    | { readonly kind: "value"; readonly operand: Uint8Array }
    | { readonly kind: "lease"; readonly operand: bigint };
}

/** One operation of a transaction. Sees what those before it have done. */
export type TxnOperation =
  | { readonly kind: "get"; readonly keys: Keys; readonly limit: number; readonly keysOnly: boolean }
  | {
      readonly kind: "set";
      readonly key: string;
      readonly value: Uint8Array;
      readonly ttlSeconds: number;
      readonly lease: bigint;
      readonly returnPrevious: boolean;
    }
  | { readonly kind: "delete"; readonly keys: Keys; readonly returnPrevious: boolean }
  /** Its comparisons see the state before the whole transaction. */
  | { readonly kind: "txn"; readonly txn: Txn };

export type TxnOperationResult =
  | {
      readonly kind: "get";
      readonly found: readonly KeyValue[];
      /** Keys of the interval, whatever the limit. */
      readonly count: number;
      /** Whether the limit has cut some off. */
      readonly hasMore: boolean;
    }
  | { readonly kind: "set"; readonly previous: KeyValue | undefined }
  | { readonly kind: "delete"; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | { readonly kind: "txn"; readonly succeeded: boolean; readonly results: readonly TxnOperationResult[] };

export interface TxnResult {
  /** Whether all comparisons held. */
  readonly succeeded: boolean;
  /** Of the operations that were done, in their order. */
  readonly results: readonly TxnOperationResult[];
  readonly header: Header;
}

/** Comparisons with one property of a key. */
export interface Comparison<Operand> {
  is(operand: Operand): Compare;
  isNot(operand: Operand): Compare;
  isGreaterThan(operand: Operand): Compare;
  isLessThan(operand: Operand): Compare;
}

export interface Comparisons {
  /** Holds if the key is there. */
  exists(): Compare;
  /** Holds if the key is not there. */
  isMissing(): Compare;
  /** Number of sets since the key was created; 0 of a missing one. */
  readonly version: Comparison<number>;
  /** 0 of a missing key. */
  readonly createRevision: Comparison<number>;
  /** 0 of a missing key. Unlike a version, a revision never comes again. */
  readonly modRevision: Comparison<number>;
  /** In the order of bytes. Never holds for a missing key. */
  readonly value: Comparison<string | Uint8Array>;
  /** 0n of a key without one. */
  readonly lease: Comparison<LeaseRef>;
}

/**
 * The beginning of a comparison: `compare("greeting").version.is(3)`. Throws DkvClientError `invalid_request`, as
 * what it gives does.
 */
export function compare(keys: string | Keys): Comparisons {
  const of = keysOf(keys);
  const counted = (kind: "version" | "createRevision" | "modRevision"): Comparison<number> =>
    comparison(of, (operand) => ({ kind, operand: checkCount("number that is compared with", operand) }));
  const [version, createRevision] = [counted("version"), counted("createRevision")];
  return {
    exists: () => createRevision.isGreaterThan(0),
    isMissing: () => createRevision.is(0),
    version,
    createRevision,
    modRevision: counted("modRevision"),
    value: comparison(of, (operand) => ({ kind: "value", operand: valueBytes(operand) })),
    lease: comparison(of, (operand) => ({ kind: "lease", operand: checkLease(operand) })),
  };
}

function comparison<Operand>(
  keys: Keys,
  targetOf: (operand: Operand) => Compare["target"],
): Comparison<Operand> {
  const with_ =
    (relation: Compare["relation"]) =>
    (operand: Operand): Compare => ({ keys, relation, target: targetOf(operand) });
  return {
    is: with_("equal"),
    isNot: with_("notEqual"),
    isGreaterThan: with_("greater"),
    isLessThan: with_("less"),
  };
}

/** The operations of a transaction: `op.set("greeting", "hello")`. All throw DkvClientError `invalid_request`. */
export const op = {
  /** Reads a key, or keys. `limit`: most of them; all unless given. */
  get(
    keys: string | Keys,
    options: { readonly limit?: number; readonly keysOnly?: boolean } = {},
  ): TxnOperation {
    const { limit = 0, keysOnly = false } = checkOptions(options, inTxn.get);
    return { kind: "get", keys: keysOf(keys), limit: checkLimit(limit), keysOnly };
  },
  /** Sets a key. */
  set(
    key: string,
    value: string | Uint8Array,
    options: {
      readonly ttlSeconds?: number;
      readonly lease?: LeaseRef;
      readonly returnPrevious?: boolean;
    } = {},
  ): TxnOperation {
    const { ttlSeconds, lease, returnPrevious = false } = checkOptions(options, inTxn.set);
    const life = checkLife({ ttlSeconds: checkTtl(ttlSeconds), lease: checkLease(lease) });
    return { kind: "set", key: checkText("key", key), value: valueBytes(value), ...life, returnPrevious };
  },
  /** Deletes a key, or keys. */
  delete(keys: string | Keys, options: { readonly returnPrevious?: boolean } = {}): TxnOperation {
    const { returnPrevious = false } = checkOptions(options, inTxn.delete);
    return { kind: "delete", keys: keysOf(keys), returnPrevious };
  },
  /** A transaction within this one. */
  txn(txn: Txn): TxnOperation {
    return { kind: "txn", txn };
  },
} as const;

const keysOf = (keys: string | Keys): Keys => checkKeys(typeof keys === "string" ? { key: keys } : keys);

/** Messages nest 100 deep: two for each transaction, and some for what is in the innermost and around all. */
const deepest = 48;

/** Looks at all of it: it may be written without the words above. @throws DkvClientError `invalid_request` */
export function checkTxn(txn: Txn, depth = 1): Txn {
  if (depth > deepest) throw invalid(`more than ${deepest} transactions are nested within each other`);
  const { compares = [], success = [], failure = [] } = checkOptions(txn, inTxn.txn);
  for (const { keys, target } of compares) {
    checkKeys(keys);
    if (target.kind === "lease") checkLease(target.operand);
    else if (target.kind === "value") checkBytes(target.operand);
    else checkCount("number that is compared with", target.operand);
  }
  for (const operation of [...success, ...failure]) checkOperation(operation, depth);
  return txn;
}

function checkOperation(operation: TxnOperation, depth: number): void {
  switch (operation.kind) {
    case "get":
      checkKeys(operation.keys);
      checkLimit(operation.limit);
      return;
    case "set":
      checkText("key", operation.key);
      checkBytes(operation.value);
      checkCount("time to live in seconds", operation.ttlSeconds);
      checkLease(operation.lease);
      checkLife(operation);
      return;
    case "delete":
      checkKeys(operation.keys);
      return;
    case "txn":
      checkTxn(operation.txn, depth + 1);
  }
}

/**
 * What doing it twice does. Harmless is one that only reads; and one that changes something only if a key has
 * a certain revision, and changes that key: then the revision is gone, and no revision comes again.
 */
export function effectOfTxn({
  compares = [],
  success = [],
  failure = [],
}: Txn): "none" | "idempotent" | "once" {
  if (!failure.every(isRead)) return "once";
  if (success.every(isRead)) return "none";
  const isGuarded = compares.some(
    ({ keys, relation, target }) =>
      "key" in keys &&
      relation === "equal" &&
      target.kind === "modRevision" &&
      target.operand > 0 &&
      success.some((operation) => changes(operation, keys.key)),
  );
  return isGuarded ? "idempotent" : "once";
}

function isRead(operation: TxnOperation): boolean {
  return operation.kind === "get" || (operation.kind === "txn" && effectOfTxn(operation.txn) === "none");
}

function changes(operation: TxnOperation, key: string): boolean {
  if (operation.kind === "set") return operation.key === key;
  return operation.kind === "delete" && "key" in operation.keys && operation.keys.key === key;
}

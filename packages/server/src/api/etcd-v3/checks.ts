/** What is said against a request before anybody has looked at the keys, in the order in which etcd says it. */
import {
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  type RequestOp,
  type TxnRequest,
} from "@dkv/protocol/etcdserverpb/rpc";
import { type ByteString, toByteString } from "@dkv/store";
import { etcdError } from "./errors.ts";
import { IntervalSet } from "./intervals.ts";

/** Transactions within each other: as deep as the default of the other limit lets them be. */
const maxDepth = 128;

const sortOrders: ReadonlySet<number> = new Set(Object.values(SortOrder));
const sortTargets: ReadonlySet<number> = new Set(Object.values(SortTarget));

export function checkRange({ key, sortOrder, sortTarget }: RangeRequest): void {
  if (key.length === 0) throw etcdError("emptyKey");
  if (!sortOrders.has(sortOrder) || !sortTargets.has(sortTarget)) throw etcdError("invalidSortOption");
}

export function checkPut({ key, value, lease, ignoreValue, ignoreLease }: PutRequest): void {
  if (key.length === 0) throw etcdError("emptyKey");
  if (ignoreValue && value.length > 0) throw etcdError("valueProvided");
  if (ignoreLease && lease !== 0n) throw etcdError("leaseProvided");
}

export function checkDelete({ key }: DeleteRangeRequest): void {
  if (key.length === 0) throw etcdError("emptyKey");
}

/** @param maxOps comparisons, or operations of a list; each transaction within another has what that one leaves */
export function checkTxn(request: TxnRequest, maxOps: number): void {
  checkForm(request, { most: maxOps, depth: maxDepth });
  for (const list of [request.success, request.failure]) if (mayChangeTwice(list)) changedBy(list);
}

/** Most lists have one operation. */
const mayChangeTwice = (list: readonly RequestOp[]): boolean =>
  list.length > 1 || list[0]?.request.case === "requestTxn";

/** What is left for a transaction. */
interface Room {
  readonly most: number;
  readonly depth: number;
}

function checkForm({ compare, success, failure }: TxnRequest, { most, depth }: Room): void {
  const largest = Math.max(compare.length, success.length, failure.length);
  if (largest > most || depth === 0) throw etcdError("tooManyOps");
  const within = { most: most - largest, depth: depth - 1 };
  if (compare.some(({ key }) => key.length === 0)) throw etcdError("emptyKey");
  for (const operation of success) checkOperation(operation, within);
  for (const operation of failure) checkOperation(operation, within);
}

function checkOperation({ request }: RequestOp, room: Room): void {
  switch (request.case) {
    case "requestRange":
      checkRange(request.value);
      return;
    case "requestPut":
      checkPut(request.value);
      return;
    case "requestDeleteRange":
      checkDelete(request.value);
      return;
    case "requestTxn":
      checkForm(request.value, room);
      return;
    case undefined:
      throw etcdError("keyNotFound");
  }
}

/** What a list may change, with what is nested in it. */
interface Changed {
  readonly puts: Set<ByteString>;
  readonly deletes: IntervalSet;
}

/**
 * Refuses a list that puts a key twice, or puts and deletes one. As in etcd, what a nested transaction
 * deletes is held only against those behind it, and against the puts of the list itself.
 */
function changedBy(list: readonly RequestOp[]): Changed {
  const changed: Changed = { puts: new Set(), deletes: deletedBy(list) };
  for (const { request } of list) if (request.case === "requestTxn") addNested(changed, request.value);
  for (const { request } of list) {
    if (request.case !== "requestPut") continue;
    const key = toByteString(request.value.key);
    if (changed.puts.has(key)) throw etcdError("duplicateKey");
    addPut(changed, key);
  }
  return changed;
}

/** Only one of its two lists is done, so they may put the same key. */
function addNested(changed: Changed, { success, failure }: TxnRequest): void {
  const [inSuccess, inFailure] = [changedBy(success), changedBy(failure)];
  for (const key of inSuccess.puts) {
    if (changed.puts.has(key)) throw etcdError("duplicateKey");
    addPut(changed, key);
  }
  for (const key of inFailure.puts) {
    if (changed.puts.has(key) && !inSuccess.puts.has(key)) throw etcdError("duplicateKey");
    addPut(changed, key);
  }
  changed.deletes.addAll(inSuccess.deletes);
  changed.deletes.addAll(inFailure.deletes);
}

function addPut({ puts, deletes }: Changed, key: ByteString): void {
  if (deletes.has(key)) throw etcdError("duplicateKey");
  puts.add(key);
}

/** By the list itself. An interval to the end of all keys is no obstacle to etcd: its end is before its beginning. */
function deletedBy(list: readonly RequestOp[]): IntervalSet {
  const deletes = new IntervalSet();
  for (const { request } of list) {
    if (request.case !== "requestDeleteRange") continue;
    const { key, rangeEnd } = request.value;
    const from = toByteString(key);
    const behindOne = `${from}\0`;
    deletes.add(from, rangeEnd.length === 0 ? behindOne : toByteString(rangeEnd));
  }
  return deletes;
}

/**
 * What can be said against a transaction before anybody has looked at the keys. The store itself does not
 * mind a key that is changed twice; this finds it wherever it could happen.
 */
import { type ByteString, toByteString } from "../bytes.ts";
import type { TxnCommand, TxnOperation } from "../operation.ts";
import { type Interval, intervalOf, isWithin } from "../read/interval.ts";

export interface TxnLimits {
  /** Most comparisons, and most operations of a list, those of all nested transactions among them. */
  readonly most: number;
  /** Most transactions, one within the other, the outermost included. */
  readonly depth: number;
}

/** What is wrong with a transaction. */
export type TxnFault =
  | "tooManyCompares"
  | "tooManyOperations"
  | "tooDeep"
  | "emptyKey"
  | "duplicateKey"
  | "unknownOperation";

/** Undefined if nothing is wrong. */
export function checkTxn(command: TxnCommand, { most, depth }: TxnLimits): TxnFault | undefined {
  if (depthOf(command) > depth) return "tooDeep";
  if (comparesOf(command) > most) return "tooManyCompares";
  if (Math.max(operationsOf(command.success), operationsOf(command.failure)) > most)
    return "tooManyOperations";
  return formFault(command) ?? (changesTwice(command) ? "duplicateKey" : undefined);
}

function comparesOf({ compares, success, failure }: TxnCommand): number {
  let count = compares.length;
  for (const nested of nestedIn([...success, ...failure])) count += comparesOf(nested);
  return count;
}

function operationsOf(list: readonly TxnOperation[]): number {
  let count = list.length;
  for (const { success, failure } of nestedIn(list)) count += operationsOf(success) + operationsOf(failure);
  return count;
}

function depthOf({ success, failure }: TxnCommand): number {
  let within = 0;
  for (const nested of nestedIn([...success, ...failure])) within = Math.max(within, depthOf(nested));
  return 1 + within;
}

function nestedIn(list: readonly TxnOperation[]): readonly TxnCommand[] {
  return list.flatMap(({ operation }) => (operation.case === "txn" ? [operation.value] : []));
}

function formFault({ compares, success, failure }: TxnCommand): TxnFault | undefined {
  if (compares.some(({ key }) => key.length === 0)) return "emptyKey";
  for (const { operation } of [...success, ...failure]) {
    if (operation.case === undefined) return "unknownOperation";
    const fault =
      operation.case === "txn"
        ? formFault(operation.value)
        : operation.value.key.length === 0
          ? "emptyKey"
          : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** What a list may change. */
interface Changed {
  readonly sets: ReadonlySet<ByteString>;
  readonly deletes: readonly Interval[];
}

/** A key that is set twice, or set and deleted, in one list with what is nested in it. Deleted twice is fine. */
function changesTwice({ success, failure }: TxnCommand): boolean {
  return changedBy(success) === "twice" || changedBy(failure) === "twice";
}

function changedBy(list: readonly TxnOperation[]): Changed | "twice" {
  const sets = new Set<ByteString>();
  const deletes: Interval[] = [];
  for (const each of list) {
    const changed = changedByOne(each);
    if (changed === "twice" || overlaps(changed, { sets, deletes })) return "twice";
    for (const key of changed.sets) sets.add(key);
    deletes.push(...changed.deletes);
  }
  return { sets, deletes };
}

function changedByOne({ operation }: TxnOperation): Changed | "twice" {
  switch (operation.case) {
    case "set":
      return { sets: new Set([toByteString(operation.value.key)]), deletes: [] };
    case "delete":
      return { sets: new Set(), deletes: [intervalOf(operation.value.key, operation.value.rangeEnd)] };
    case "txn": {
      // Only one of the two lists is done, so they may change the same.
      const [success, failure] = [changedBy(operation.value.success), changedBy(operation.value.failure)];
      if (success === "twice" || failure === "twice") return "twice";
      return {
        sets: new Set([...success.sets, ...failure.sets]),
        deletes: [...success.deletes, ...failure.deletes],
      };
    }
    default:
      return { sets: new Set(), deletes: [] };
  }
}

function overlaps(a: Changed, b: Changed): boolean {
  for (const key of a.sets) if (b.sets.has(key) || isDeleted(key, b)) return true;
  for (const key of b.sets) if (isDeleted(key, a)) return true;
  return false;
}

const isDeleted = (key: ByteString, { deletes }: Changed): boolean =>
  deletes.some((interval) => isWithin(key, interval));

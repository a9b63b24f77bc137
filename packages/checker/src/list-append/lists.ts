/** The order of appends to each list, as far as reads tell it; and what no order can explain. */
import { appendsOf, readsOf, type Transaction, type TransactionHistory } from "./transaction.ts";

export interface ListOrder {
  /** The longest list that was read; all other reads are beginnings of it. */
  readonly elements: readonly string[];
  /** Elements that certainly were appended and that nobody saw: they come after all that was read. */
  readonly unseen: readonly string[];
}

/** What is wrong with single transactions, whatever the order of all. */
export interface Contradiction {
  readonly because:
    | "incompatible orders"
    | "element seen twice"
    | "element out of nowhere"
    | "aborted read"
    | "appends out of order"
    | "own appends not seen";
  readonly detail: string;
  readonly transactions: TransactionHistory;
}

export interface Lists {
  readonly orders: ReadonlyMap<string, ListOrder>;
  readonly writerOf: ReadonlyMap<string, Transaction>;
  /** Transactions that took effect: those that returned, and those of which something was seen. */
  readonly effective: TransactionHistory;
}

/** Reads off the lists; or the first contradiction. */
export function readLists(history: TransactionHistory): Lists | Contradiction {
  const writerOf = writers(history);
  const longest = new Map<string, { readonly list: readonly string[]; readonly reader: Transaction }>();
  for (const reader of history) {
    for (const read of readsOf(reader)) {
      const wrong = contradictionOf(reader, read, writerOf);
      if (wrong !== undefined) return wrong;
      const known = longest.get(read.key);
      if (known !== undefined && !isPrefix(known.list, read.list) && !isPrefix(read.list, known.list)) {
        return {
          because: "incompatible orders",
          detail: `of ${read.key}`,
          transactions: [known.reader, reader],
        };
      }
      if (known === undefined || known.list.length < read.list.length) {
        longest.set(read.key, { list: read.list, reader });
      }
    }
  }
  const seen = new Set([...longest.values()].flatMap(({ list }) => list.map((one) => writerOf.get(one))));
  const effective = history.filter((one) => one.outcome.kind === "ok" || seen.has(one));
  return {
    orders: ordersOf(effective, new Map([...longest].map(([key, { list }]) => [key, list]))),
    writerOf,
    effective,
  };
}

function writers(history: TransactionHistory): ReadonlyMap<string, Transaction> {
  const writerOf = new Map<string, Transaction>();
  for (const transaction of history) {
    for (const one of transaction.action) {
      if (one.kind !== "append") continue;
      if (writerOf.has(one.element))
        throw new RangeError(`${one.element} is appended twice; elements must differ`);
      writerOf.set(one.element, transaction);
    }
  }
  return writerOf;
}

function contradictionOf(
  reader: Transaction,
  { key, list, position }: ReturnType<typeof readsOf>[number],
  writerOf: ReadonlyMap<string, Transaction>,
): Contradiction | undefined {
  if (new Set(list).size < list.length) {
    return { because: "element seen twice", detail: `in ${key}`, transactions: [reader] };
  }
  /** Of each writer, how many of its appends come up to the last one that was met. */
  const met = new Map<Transaction, number>();
  for (const element of list) {
    const writer = writerOf.get(element);
    const place = writer === undefined ? -1 : appendsOf(writer, key).indexOf(element);
    if (writer === undefined || place < 0) {
      const detail = `nobody appended ${element} to ${key}`;
      return { because: "element out of nowhere", detail, transactions: [reader] };
    }
    if (writer.outcome.kind === "failed") {
      return { because: "aborted read", detail: `${element} in ${key}`, transactions: [writer, reader] };
    }
    // No cycle shows this: a transaction does not come before itself.
    if (place < (met.get(writer) ?? 0)) {
      const detail = `${element} in ${key} stands behind what the same transaction appended later`;
      const transactions = writer === reader ? [reader] : [writer, reader];
      return { because: "appends out of order", detail, transactions };
    }
    met.set(writer, place + 1);
  }
  const own = appendsOf(reader, key, position);
  const isOwnLast = own.every((element, index) => list[list.length - own.length + index] === element);
  const ownSeen = list.filter((element) => writerOf.get(element) === reader).length;
  if (isOwnLast && ownSeen === own.length) return undefined;
  return {
    because: "own appends not seen",
    detail: `${key} does not end with what the transaction itself had appended`,
    transactions: [reader],
  };
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length <= long.length && short.every((element, index) => element === long[index]);
}

function ordersOf(
  effective: TransactionHistory,
  longest: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, ListOrder> {
  const orders = new Map<string, { readonly elements: readonly string[]; readonly unseen: string[] }>();
  const known = new Map([...longest].map(([key, list]) => [key, new Set(list)]));
  for (const [key, elements] of longest) orders.set(key, { elements, unseen: [] });
  for (const { action } of effective) {
    for (const one of action) {
      if (one.kind !== "append" || known.get(one.key)?.has(one.element) === true) continue;
      const order = orders.get(one.key);
      if (order === undefined) orders.set(one.key, { elements: [], unseen: [one.element] });
      else order.unseen.push(one.element);
    }
  }
  return orders;
}

/** Which transaction must come before which (Adya 1999; inferred from lists as Kingsbury and Alvaro 2020 do). */
import { returnedAt } from "../history.ts";
import type { Edge, Graph } from "./graph.ts";
import type { Lists } from "./lists.ts";
import { readsOf, type Transaction, type TransactionHistory } from "./transaction.ts";

/**
 * Why one comes before the other: it appended right before it (ww); it appended what the other saw last (wr);
 * it did not see what the other appended next (rw); it had returned when the other was called (time).
 */
export type Dependency =
  | { readonly kind: "ww" | "wr" | "rw"; readonly key: string; readonly element: string }
  | { readonly kind: "time" };

/**
 * Nodes are first the transactions of `lists.effective`, by index, then moments. "Had returned before" among n
 * transactions would be n² edges; over a chain of moments it is 4n.
 */
export function dependencies(lists: Lists): Graph<Dependency> {
  const indexOf = new Map(lists.effective.map((one, index) => [one, index]));
  const graph: Edge<Dependency>[][] = lists.effective.map(() => []);
  const connect = (from: Transaction | undefined, to: Transaction | undefined, label: Dependency): void => {
    if (from === undefined || to === undefined || from === to) return;
    const [source, target] = [indexOf.get(from), indexOf.get(to)];
    if (source !== undefined && target !== undefined) graph[source]?.push({ to: target, label });
  };
  for (const [key, { elements, unseen }] of lists.orders) {
    const last = elements.at(-1);
    const pairs = [
      ...elements.slice(1).map((element, index) => [elements[index], element] as const),
      ...unseen.map((element) => [last, element] as const),
    ];
    for (const [before, element] of pairs) {
      const from = before === undefined ? undefined : lists.writerOf.get(before);
      connect(from, lists.writerOf.get(element), { kind: "ww", key, element });
    }
  }
  for (const reader of lists.effective) {
    for (const { key, list } of readsOf(reader)) {
      // Where the last is its own append, that comes after the one before by ww.
      const last = list.at(-1);
      if (last !== undefined) connect(lists.writerOf.get(last), reader, { kind: "wr", key, element: last });
      for (const element of following(lists, key, list.length)) {
        connect(reader, lists.writerOf.get(element), { kind: "rw", key, element });
      }
    }
  }
  addTime(graph, lists.effective);
  return graph;
}

/** What comes next after a read of so many: one element if the order is known so far, else all that nobody saw. */
function following({ orders }: Lists, key: string, length: number): readonly string[] {
  const { elements = [], unseen = [] } = orders.get(key) ?? {};
  const next = elements[length];
  return next === undefined ? unseen : [next];
}

function addTime(graph: Edge<Dependency>[][], transactions: TransactionHistory): void {
  const label: Dependency = { kind: "time" };
  const byReturn = [...transactions.entries()]
    .filter(([, { outcome }]) => outcome.kind === "ok")
    .sort(([, a], [, b]) => returnedAt(a) - returnedAt(b));
  const byCall = [...transactions.entries()].sort(([, a], [, b]) => a.calledAt - b.calledAt);
  let calls = 0;
  for (const [index, transaction] of byReturn) {
    // Who was called up to now, this moment does not precede; the one before it may.
    const earlier = graph.length - 1;
    for (; calls < byCall.length; calls += 1) {
      const [called, { calledAt }] = byCall[calls] ?? [0, { calledAt: Number.POSITIVE_INFINITY }];
      if (calledAt > returnedAt(transaction)) break;
      if (earlier >= transactions.length) graph[earlier]?.push({ to: called, label });
    }
    const moment = graph.push([]) - 1;
    if (earlier >= transactions.length) graph[earlier]?.push({ to: moment, label });
    graph[index]?.push({ to: moment, label });
  }
  const last = graph.length - 1;
  if (last < transactions.length) return;
  for (const [called] of byCall.slice(calls)) graph[last]?.push({ to: called, label });
}

/**
 * Decides whether transactions on lists could have run one after the other, each between its call and its
 * return: strict serializability. Lists tell the order of their appends, so no search is needed: which must
 * come before which is a graph, and there is an order exactly if it has no cycle.
 */
import { assertWellFormed } from "../history.ts";
import { renderOperations } from "../render.ts";
import { type Dependency, dependencies } from "./dependencies.ts";
import { cyclicComponents, type Graph, shortestCycle, type Step } from "./graph.ts";
import { type Contradiction, readLists } from "./lists.ts";
import {
  assertAnswered,
  describeTransaction,
  type Transaction,
  type TransactionHistory,
} from "./transaction.ts";

export type TransactionVerdict =
  | { readonly kind: "serializable" }
  | ({ readonly kind: "contradiction" } & Contradiction)
  | {
      readonly kind: "cycle";
      /** By Adya's names: G0 of appends alone, G1c with reads, G-single with one thing not seen, G2 with more. */
      readonly name: CycleName;
      /** Whether it is one only because of what had returned before. */
      readonly inRealTime: boolean;
      /** Each comes before the next one, and the last before the first. */
      readonly cycle: readonly { readonly transaction: Transaction; readonly before: Dependency }[];
    };

export type CycleName = "G0" | "G1c" | "G-single" | "G2";

/**
 * @throws {RangeError} if an element is appended twice, or the history is not one that a recorder writes.
 */
export function checkTransactions(history: TransactionHistory): TransactionVerdict {
  assertWellFormed(history);
  assertAnswered(history);
  const lists = readLists(history);
  if ("because" in lists) return { kind: "contradiction", ...lists };
  const graph = dependencies(lists);
  // What needs the fewest kinds of dependency is the plainest mistake, and is told first.
  const kinds: readonly Dependency["kind"][][] = [["ww"], ["ww", "wr"], ["ww", "wr", "rw"]];
  for (const inRealTime of [false, true]) {
    for (const timeless of kinds) {
      const allowed = inRealTime ? [...timeless, "time"] : timeless;
      const some = graph.map((edges) => edges.filter(({ label }) => allowed.includes(label.kind)));
      const cycle = shortCycle(some, lists.effective.length);
      if (cycle === undefined) continue;
      const steps = cycle.flatMap(({ from, label }) => {
        const transaction = lists.effective[from];
        return transaction === undefined ? [] : [{ transaction, before: label }];
      });
      return { kind: "cycle", name: nameOf(steps.map(({ before }) => before)), inRealTime, cycle: steps };
    }
  }
  return { kind: "serializable" };
}

/** Why there is no order, for people; an empty text if there is one. */
export function renderTransactionVerdict(verdict: TransactionVerdict): string {
  switch (verdict.kind) {
    case "serializable":
      return "";
    case "contradiction": {
      const lines = renderOperations(verdict.transactions, describeTransaction);
      return [`not serializable: ${verdict.because}, ${verdict.detail}`, ...lines].join("\n");
    }
    case "cycle": {
      const { name, inRealTime, cycle } = verdict;
      const lines = renderOperations(
        cycle.map(({ transaction }) => transaction),
        describeTransaction,
      );
      return [
        `not ${inRealTime ? "strictly " : ""}serializable: each of these comes before the next, and the last before the first (${name})`,
        ...lines.flatMap((line, index) => [line, `      ${reason(cycle[index]?.before)}`]),
      ].join("\n");
    }
  }
}

/** A cycle of few transactions, which are the nodes before `transactions`. */
function shortCycle(graph: Graph<Dependency>, transactions: number): readonly Step<Dependency>[] | undefined {
  const [smallest] = [...cyclicComponents(graph)].sort((a, b) => a.size - b.size);
  if (smallest === undefined) return undefined;
  const isFree = (node: number): boolean => node >= transactions;
  let best: readonly Step<Dependency>[] | undefined;
  // Every node has a cycle. So many starts find a short one, and bound the time where thousands are tangled.
  for (const start of [...smallest].filter((node) => !isFree(node)).slice(0, 100)) {
    const cycle = shortestCycle(graph, start, { within: smallest, isFree });
    const isShorter = (other: readonly Step<Dependency>[]): boolean =>
      (cycle ?? other).filter(({ from }) => !isFree(from)).length <
      other.filter(({ from }) => !isFree(from)).length;
    if (cycle !== undefined && (best === undefined || isShorter(best))) best = cycle;
  }
  return best;
}

function nameOf(labels: readonly Dependency[]): CycleName {
  const unseen = labels.filter(({ kind }) => kind === "rw").length;
  if (unseen > 1) return "G2";
  if (unseen === 1) return "G-single";
  return labels.some(({ kind }) => kind === "wr") ? "G1c" : "G0";
}

function reason(before: Dependency | undefined): string {
  switch (before?.kind) {
    case "ww":
      return `appended before ${before.element} to ${before.key} (ww)`;
    case "wr":
      return `appended ${before.element} to ${before.key}, which was seen (wr)`;
    case "rw":
      return `did not see ${before.element} in ${before.key} (rw)`;
    case "time":
    case undefined:
      return "had returned before this was called (time)";
  }
}

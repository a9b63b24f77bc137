/** Transactions on lists: each reads whole lists and appends elements that nobody else appends. */
import type { History, Operation } from "../history.ts";

export type ListAction =
  | { readonly kind: "read"; readonly key: string }
  /** An element is appended once in a history, whatever the key. */
  | { readonly kind: "append"; readonly key: string; readonly element: string };

/** What each action saw, in their order: a list (empty if there is no such key), undefined for an append. */
export type ListResult = readonly (readonly string[] | undefined)[];

/** What one transaction does, in the order in which it does it. */
export type Transaction = Operation<readonly ListAction[], ListResult>;
export type TransactionHistory = History<readonly ListAction[], ListResult>;

export interface Read {
  readonly key: string;
  readonly list: readonly string[];
  /** How many actions the transaction did before. */
  readonly position: number;
}

/**
 * Refuses answers that do not fit what was asked: a read without one would pass for a read that is right.
 *
 * @throws {RangeError} if a transaction returned without a list for one of its reads, or with more than that.
 */
export function assertAnswered(history: TransactionHistory): void {
  for (const { client, action, outcome } of history) {
    if (outcome.kind !== "ok") continue;
    const { result } = outcome;
    const wrong = action.findIndex((one, at) => (one.kind === "read") !== (result[at] !== undefined));
    if (wrong >= 0 || result.length > action.length) {
      const at = wrong >= 0 ? wrong : action.length;
      throw new RangeError(`a transaction of ${client} has no answer that fits its action ${String(at + 1)}`);
    }
  }
}

/** The reads of a transaction that returned; none if it did not. */
export function readsOf({ action, outcome }: Transaction): readonly Read[] {
  if (outcome.kind !== "ok") return [];
  return action.flatMap((one, position) => {
    const list = outcome.result[position];
    return one.kind === "read" && list !== undefined ? [{ key: one.key, list, position }] : [];
  });
}

/** What it appends to a list, in order; with `before`, by its first so many actions. */
export function appendsOf(
  { action }: Transaction,
  key: string,
  before: number = action.length,
): readonly string[] {
  return action
    .slice(0, before)
    .flatMap((one) => (one.kind === "append" && one.key === key ? [one.element] : []));
}

/** For reports: what it did and saw, in one line. */
export function describeTransaction({ action, outcome }: Transaction): string {
  const parts = action.map((one, position) => {
    if (one.kind === "append") return `append ${one.element} to ${one.key}`;
    const list = outcome.kind === "ok" ? outcome.result[position] : undefined;
    return `read ${one.key}${list === undefined ? "" : ` [${list.join(" ")}]`}`;
  });
  return parts.join(", ");
}

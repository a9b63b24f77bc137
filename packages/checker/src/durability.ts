/**
 * Whether what was acknowledged is there at the end. Linearizability says so too, if the last reads belong to
 * the history; this says it in one pass, by name, and also where a search gives up.
 */
import { assertWellFormed, partition, returnedAt } from "./history.ts";
import type { TransactionHistory } from "./list-append/transaction.ts";
import type { RegisterHistory, RegisterOperation } from "./register.ts";

/** What each key holds after everything has ended; a key that is missing does not exist. */
export type FinalState<Value> = ReadonlyMap<string, Value>;

export interface LostWrite {
  readonly key: string;
  /** What is there; undefined: nothing. */
  readonly found: string | undefined;
  /** An acknowledged write of which that should show; undefined: nobody wrote what is there. */
  readonly lost: RegisterOperation | undefined;
}

export interface LostElement {
  readonly key: string;
  readonly element: string;
}

/**
 * Keys whose final value cannot be that of a last write. One is possible unless some acknowledged write or
 * delete was called after it had returned. What is unknown may have happened last; what failed never.
 */
export function lostWrites(history: RegisterHistory, final: FinalState<string>): readonly LostWrite[] {
  assertWellFormed(history);
  const parts = partition(history, ({ key }) => key);
  const keys = new Set([...parts.keys(), ...final.keys()]);
  return [...keys].flatMap((key) => {
    const found = final.get(key);
    const writes = (parts.get(key) ?? []).filter(mayHaveWritten);
    // Nobody may have come after this one but who was called before it returned.
    const last = writes
      .filter(({ outcome }) => outcome.kind === "ok")
      .reduce<RegisterOperation | undefined>(
        (a, b) => (a === undefined || b.calledAt > a.calledAt ? b : a),
        undefined,
      );
    const sources = writes.filter((one) => writtenBy(one) === found).map(returnedAt);
    if (found === undefined) sources.push(Number.NEGATIVE_INFINITY);
    const isPossible = sources.some((returned) => last === undefined || returned >= last.calledAt);
    if (isPossible) return [];
    return [{ key, found, lost: sources.length === 0 ? undefined : last }];
  });
}

/** Acknowledged elements that are not in the final list of their key. */
export function lostElements(
  history: TransactionHistory,
  final: FinalState<readonly string[]>,
): readonly LostElement[] {
  assertWellFormed(history);
  const lists = new Map([...final].map(([key, list]) => [key, new Set(list)]));
  return history
    .filter(({ outcome }) => outcome.kind === "ok")
    .flatMap(({ action }) => action)
    .flatMap((one) =>
      one.kind === "append" && lists.get(one.key)?.has(one.element) !== true
        ? [{ key: one.key, element: one.element }]
        : [],
    );
}

/** Whether it is a write or delete that took effect, or may have. */
function mayHaveWritten({ action, outcome }: RegisterOperation): boolean {
  if (action.kind === "get" || outcome.kind === "failed") return false;
  return outcome.kind === "unknown" || outcome.result.applied !== false;
}

function writtenBy({ action }: RegisterOperation): string | undefined {
  return action.kind === "get" || action.kind === "delete" ? undefined : action.value;
}

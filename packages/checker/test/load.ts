/** Histories as long as a real run's, from a register for each key that answers correctly. */
import type { Operation, RegisterAction, RegisterOperation, RegisterResult } from "../src/index.ts";

export interface Load {
  readonly operations: number;
  readonly keys: number;
  readonly clients: number;
  /** One in so many writes has an unknown outcome, and half of those take effect. */
  readonly unknownEvery: number;
  readonly seed: number;
}

/** Numbers below `bound`, the same for the same seed (a linear congruential generator, its high bits). */
export function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Each client has one operation at a time; it takes effect at some moment between its call and its return. */
export function registerLoad({ operations, keys, clients, unknownEvery, seed }: Load): RegisterOperation[] {
  const below = numbers(seed);
  const free = Array.from({ length: clients }, () => 0);
  const plans = Array.from({ length: operations }, (_, index) => {
    const client = index % clients;
    const calledAt = (free[client] ?? 0) + below(5);
    const end = calledAt + 1 + below(below(20) === 0 ? 500 : 50);
    free[client] = end + 1;
    return { index, client: `c${client}`, calledAt, end, effectAt: calledAt + below(end - calledAt + 1) };
  });
  const values = new Map<string, string>();
  const history: RegisterOperation[] = [];
  for (const { client, calledAt, end, index } of plans.sort(
    (a, b) => a.effectAt - b.effectAt || a.index - b.index,
  )) {
    const action = anyAction(below, { key: `k${below(keys)}`, value: `v${index}` }, values);
    const isUnknown = action.kind !== "get" && below(unknownEvery) === 0;
    const begun = { client, action, calledAt };
    if (isUnknown) history.push({ ...begun, outcome: { kind: "unknown" } });
    if (isUnknown && below(2) === 0) continue;
    const result = act(values, action);
    if (!isUnknown) history.push({ ...begun, outcome: { kind: "ok", at: end, result } });
  }
  return history.sort((a, b) => a.calledAt - b.calledAt);
}

function anyAction(
  below: (bound: number) => number,
  { key, value }: { readonly key: string; readonly value: string },
  values: ReadonlyMap<string, string>,
): RegisterAction {
  const kind = below(10);
  if (kind < 4) return { kind: "get", key };
  if (kind < 8) return { kind: "set", key, value };
  if (kind < 9) return { kind: "delete", key };
  return { kind: "compareAndSet", key, expected: below(3) === 0 ? "other" : values.get(key), value };
}

function act(values: Map<string, string>, action: RegisterAction): RegisterResult {
  const present = values.get(action.key);
  switch (action.kind) {
    case "get":
      return { value: present };
    case "set":
      values.set(action.key, action.value);
      return {};
    case "delete":
      return { applied: values.delete(action.key) };
    case "compareAndSet":
      if (present !== action.expected) return { applied: false };
      values.set(action.key, action.value);
      return { applied: true };
  }
}

/** The history with the answer of one operation changed. */
export function forged<Action, Result>(
  history: readonly Operation<Action, Result>[],
  victim: Operation<Action, Result>,
  result: Result,
): Operation<Action, Result>[] {
  return history.map((one) =>
    one === victim && one.outcome.kind === "ok" ? { ...one, outcome: { ...one.outcome, result } } : one,
  );
}

/** Keys of a store as registers: what most workloads do, and what it means. */
import { type History, type Operation, partition } from "./history.ts";
import { checkLinearizable, type SearchLimits, type Verdict } from "./linearizable.ts";
import type { Model } from "./model.ts";

export type RegisterAction =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  | { readonly kind: "delete"; readonly key: string }
  /** Sets the value if the present one is `expected`; undefined: if there is no such key. */
  | {
      readonly kind: "compareAndSet";
      readonly key: string;
      readonly expected: string | undefined;
      readonly value: string;
    };

export interface RegisterResult {
  /** What a get saw; undefined: no such key. */
  readonly value?: string | undefined;
  /** Whether a delete found the key, or a comparison held; undefined: the answer did not tell. */
  readonly applied?: boolean | undefined;
}

export type RegisterOperation = Operation<RegisterAction, RegisterResult>;
export type RegisterHistory = History<RegisterAction, RegisterResult>;

/** One key; `value` is undefined where there is no such key. */
export interface Register {
  readonly value: string | undefined;
}

/** A single key, absent at first. Which key it is, it does not ask: histories are partitioned before. */
export const registerModel: Model<Register, RegisterAction, RegisterResult> = {
  initial: { value: undefined },
  step,
  hash: ({ value }) => named(value),
  isRead: ({ action, outcome }) =>
    action.kind === "get" || (outcome.kind === "ok" && outcome.result.applied === false),
  holds: ({ value }) => value,
  saw: ({ action, outcome }) => {
    if (outcome.kind !== "ok") return undefined;
    if (action.kind === "get") return outcome.result.value;
    return action.kind === "compareAndSet" && outcome.result.applied === true ? action.expected : undefined;
  },
  wrote: ({ action }) => (action.kind === "get" || action.kind === "delete" ? undefined : action.value),
  describe,
};

/** Judges every key by itself, which is enough: linearizability is a property of each object alone. */
export function checkRegisters(
  history: RegisterHistory,
  limits?: SearchLimits,
): Verdict<RegisterAction, RegisterResult> {
  let verdict: Verdict<RegisterAction, RegisterResult> = { kind: "linearizable" };
  for (const part of partition(history, ({ key }) => key).values()) {
    const one = checkLinearizable(part, registerModel, limits);
    if (one.kind === "violated") return one;
    if (one.kind === "unknown") verdict = one;
  }
  return verdict;
}

function step(state: Register, { action, outcome }: RegisterOperation): Register | undefined {
  const result = outcome.kind === "ok" ? outcome.result : undefined;
  switch (action.kind) {
    case "get":
      return result === undefined || result.value === state.value ? state : undefined;
    case "set":
      return { value: action.value };
    case "delete":
      return agrees(result, state.value !== undefined) ? { value: undefined } : undefined;
    case "compareAndSet": {
      const holds = state.value === action.expected;
      if (!agrees(result, holds)) return undefined;
      return holds ? { value: action.value } : state;
    }
  }
}

function agrees(result: RegisterResult | undefined, applied: boolean): boolean {
  return result?.applied === undefined || result.applied === applied;
}

function named(value: string | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function describe({ action, outcome }: RegisterOperation): string {
  const result = outcome.kind === "ok" ? outcome.result : undefined;
  const applied = result?.applied;
  switch (action.kind) {
    case "get":
      return `get ${action.key}${result === undefined ? "" : ` saw ${named(result.value)}`}`;
    case "set":
      return `set ${action.key} to ${named(action.value)}`;
    case "delete":
      return `delete ${action.key}${applied === undefined ? "" : applied ? " found it" : " found nothing"}`;
    case "compareAndSet": {
      const asked = `set ${action.key} from ${named(action.expected)} to ${named(action.value)}`;
      return `${asked}${applied === undefined ? "" : applied ? " applied" : " refused"}`;
    }
  }
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { checkTransactions, type ListAction, type Transaction } from "../src/index.ts";
import { anyOrder } from "./brute-force.ts";

type Lists = ReadonlyMap<string, readonly string[]>;
interface Plan {
  readonly actions: readonly ("append" | "read")[];
  readonly keys: readonly string[];
  readonly calledAt: number;
  readonly length: number;
  readonly outcome: "ok" | "unknown" | "failed";
  readonly isEffective: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  actions: fc.array(fc.constantFrom("append", "read"), { minLength: 1, maxLength: 3 }),
  keys: fc.array(fc.constantFrom("x", "y"), { minLength: 3, maxLength: 3 }),
  calledAt: fc.nat(12),
  length: fc.nat(8),
  outcome: fc.constantFrom("ok", "ok", "ok", "ok", "unknown", "failed"),
  isEffective: fc.boolean(),
});
/** Whose turn it is: transactions mix in this order, an action at a time. */
const turns = fc.array(fc.nat(9), { maxLength: 30, size: "max" });

function asked({ actions, keys }: Plan, index: number): ListAction[] {
  return actions.map((kind, position) => {
    const key = keys[position] ?? "x";
    return kind === "read" ? { kind, key } : { kind, key, element: `${index}.${position}` };
  });
}

/** Does the actions in some order, one at a time and without any isolation, and writes down what was seen. */
function run(plans: readonly Plan[], order: readonly number[]): Transaction[] {
  const lists = new Map<string, readonly string[]>();
  const actions = plans.map(asked);
  const results: (readonly string[] | undefined)[][] = plans.map(() => []);
  for (const turn of [...order, ...plans.flatMap((_, index) => [index, index, index])]) {
    const index = turn % plans.length;
    const [result, one, by] = [results[index], actions[index]?.[results[index]?.length ?? 0], plans[index]];
    if (result === undefined || one === undefined || by === undefined) continue;
    const list = lists.get(one.key) ?? [];
    const isEffective = by.outcome === "ok" || (by.outcome === "unknown" && by.isEffective);
    if (one.kind === "append" && isEffective) lists.set(one.key, [...list, one.element]);
    result.push(one.kind === "read" ? list : undefined);
  }
  return plans.map(({ outcome, calledAt, length }, index) => ({
    client: `c${index}`,
    action: actions[index] ?? [],
    calledAt,
    outcome:
      outcome === "ok"
        ? { kind: outcome, at: calledAt + length, result: results[index] ?? [] }
        : outcome === "failed"
          ? { kind: outcome, at: calledAt + length }
          : { kind: outcome },
  }));
}

/** The same history, but that all who saw as much saw two neighbours the other way round. */
function exchanged(history: readonly Transaction[], at: number): readonly Transaction[] {
  const exchange = (list: readonly string[] | undefined): readonly string[] | undefined => {
    const [one, other] = [list?.[at], list?.[at + 1]];
    if (list === undefined || one === undefined || other === undefined) return list;
    return list.with(at, other).with(at + 1, one);
  };
  return history.map((one) =>
    one.outcome.kind === "ok"
      ? { ...one, outcome: { ...one.outcome, result: one.outcome.result.map(exchange) } }
      : one,
  );
}

/** The lists after a transaction alone; undefined if it would not have seen what it saw. */
function apply(lists: Lists, { action, outcome }: Transaction): Lists | undefined {
  const after = new Map(lists);
  for (const [position, one] of action.entries()) {
    const list = after.get(one.key) ?? [];
    if (one.kind === "append") after.set(one.key, [...list, one.element]);
    else if (outcome.kind === "ok" && JSON.stringify(outcome.result[position]) !== JSON.stringify(list))
      return undefined;
  }
  return after;
}

function isSerializable(history: readonly Transaction[]): boolean {
  const rest = history.filter(({ outcome }) => outcome.kind !== "failed");
  return anyOrder(rest, new Map() as Lists, { step: apply });
}

describe("the verdict on transactions", () => {
  it("is that of a judge who tries every order", () => {
    const verdicts = { good: 0, bad: 0 };
    fc.assert(
      fc.property(fc.array(plan, { minLength: 1, maxLength: 5 }), turns, (plans, order) => {
        const history = run(plans, order);
        const expected = isSerializable(history);
        assert.equal(checkTransactions(history).kind === "serializable", expected);
        verdicts[expected ? "good" : "bad"] += 1;
      }),
      { numRuns: 6000 },
    );
    assert.ok(Math.min(verdicts.good, verdicts.bad) > 500, JSON.stringify(verdicts));
  });

  it("is that judge's, too, if what all saw of a good history is put in another order", () => {
    const names = new Set<string>();
    fc.assert(
      fc.property(fc.array(plan, { minLength: 1, maxLength: 4 }), fc.nat(1), (plans, at) => {
        // One after the other, and all at the same time.
        const good = plans.map((one) => ({ ...one, calledAt: 0 }));
        const history = exchanged(run(good, []), at);
        const verdict = checkTransactions(history);
        assert.equal(verdict.kind === "serializable", isSerializable(history));
        names.add(verdict.kind === "contradiction" ? verdict.because : verdict.kind);
      }),
      { numRuns: 6000 },
    );
    for (const name of ["serializable", "cycle", "appends out of order"]) assert.ok(names.has(name), name);
  });

  it("shows a cycle that is one by itself", () => {
    fc.assert(
      fc.property(fc.array(plan, { minLength: 2, maxLength: 7, size: "max" }), turns, (plans, order) => {
        const verdict = checkTransactions(run(plans, order));
        if (verdict.kind !== "cycle") return;
        const { cycle, inRealTime } = verdict;
        assert.ok(cycle.length >= 2);
        assert.equal(
          cycle.some(({ before }) => before.kind === "time"),
          inRealTime,
        );
        for (const [index, { transaction, before }] of cycle.entries()) {
          const next = cycle[(index + 1) % cycle.length]?.transaction;
          if (before.kind !== "time" || next === undefined) continue;
          assert.ok(transaction.outcome.kind === "ok" && transaction.outcome.at < next.calledAt);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { returnedAt } from "../src/history.ts";
import { checkRegisters, registerModel, type RegisterOperation } from "../src/index.ts";
import { hasOrder } from "./brute-force.ts";
import { failed, get, never, remove, set, swap } from "./histories.ts";

// Few values and little time, so that much coincides.
const value = fc.constantFrom("a", "b", "c");
const seen = fc.constantFrom(undefined, "a", "b", "c");
const told = fc.constantFrom(undefined, true, false);
const times = fc
  .tuple(fc.nat(9), fc.nat(5), fc.constantFrom("ok", "ok", "ok", "unknown", "failed"))
  .map(([from, length, outcome]): readonly [number, number | typeof never | typeof failed] => [
    from,
    outcome === "unknown" ? never : outcome === "failed" ? failed : from + length,
  ]);

const anyOperation: fc.Arbitrary<RegisterOperation> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(value, times).map(([one, [from, to]]) => set(one, from, to)) },
  { weight: 3, arbitrary: fc.tuple(seen, times).map(([one, [from, to]]) => get(one, from, to)) },
  fc.tuple(told, times).map(([one, [from, to]]) => remove(one, from, to)),
  fc.tuple(seen, value, told, times).map(([from, to, applied, when]) => swap([from, to], applied, when)),
);
const anyHistory = fc.array(anyOperation, { maxLength: 7, size: "max" });

/** What the operations answer if they take effect in the order they are in, which then is one that exists. */
function answered(operations: readonly RegisterOperation[]): RegisterOperation[] {
  let state = registerModel.initial;
  return operations.map((operation, at) => {
    const { action, outcome } = operation;
    const isEffective = outcome.kind === "ok" || (outcome.kind === "unknown" && at % 2 === 0);
    const before = state.value;
    if (isEffective) {
      const asked = { ...operation, outcome: { kind: "unknown" } as const };
      state = registerModel.step(state, asked) ?? state;
    }
    if (outcome.kind !== "ok") return operation;
    const applied =
      action.kind === "delete"
        ? before !== undefined
        : action.kind === "compareAndSet" && before === action.expected;
    // Point `at` lies within it, as far from the others' as `length` allows.
    const length = outcome.at - operation.calledAt;
    const result = action.kind === "get" ? { value: before } : action.kind === "set" ? {} : { applied };
    return { ...operation, calledAt: at - length / 2, outcome: { kind: "ok", at: at + length, result } };
  });
}

describe("the verdict on registers", () => {
  it("is that of a judge who tries every order", () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const expected = hasOrder(history, registerModel) ? "linearizable" : "violated";
        assert.equal(checkRegisters(history).kind, expected);
      }),
      { numRuns: 4000 },
    );
  });

  it("is good for whatever one register answered, and that of every order if one answer is another's", () => {
    const forged = fc.tuple(anyHistory, fc.nat(), seen);
    fc.assert(
      fc.property(forged, ([operations, at, forgery]) => {
        // Unknown operations are called first, so that each may have taken effect where `answered` had it.
        const history = answered(operations).map((one) =>
          one.outcome.kind === "ok"
            ? one
            : {
                ...one,
                calledAt: -10,
                ...(one.outcome.kind === "failed" && { outcome: { kind: "failed" as const, at: 20 } }),
              },
        );
        assert.equal(checkRegisters(history).kind, "linearizable");
        const changed = history.map((one, index) =>
          index === at % history.length && one.action.kind === "get" && one.outcome.kind === "ok"
            ? { ...one, outcome: { ...one.outcome, result: { value: forgery } } }
            : one,
        );
        const expected = hasOrder(changed, registerModel) ? "linearizable" : "violated";
        assert.equal(checkRegisters(changed).kind, expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("shows an excerpt that has no order either, and goes wrong where the history does", () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const verdict = checkRegisters(history);
        if (verdict.kind !== "violated") return;
        const { excerpt, stuckAt } = verdict.violation;
        assert.ok(excerpt.includes(stuckAt));
        assert.ok(excerpt.every((one) => history.includes(one)));
        assert.equal(hasOrder(excerpt, registerModel), false);
        // What returned as late keeps its result but need not have happened.
        const until = returnedAt(stuckAt);
        assert.ok(
          !hasOrder(history, registerModel, (one) => returnedAt(one) > until),
          "it goes wrong only later",
        );
        const isOptional = (one: RegisterOperation): boolean => returnedAt(one) >= until;
        for (const some of [history, excerpt]) {
          const others = some.filter((one) => one !== stuckAt);
          assert.ok(hasOrder(others, registerModel, isOptional), "it goes wrong elsewhere");
        }
      }),
      { numRuns: 2000 },
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkRegisters, registerModel, type RegisterOperation, renderViolation } from "../src/index.ts";
import { failed, get, never, on, remove, set, swap } from "./histories.ts";

describe("a history of registers is linearizable with", () => {
  const good: Record<string, RegisterOperation[]> = {
    "no operation": [],
    "a read before any write that sees nothing": [get(undefined, 0, 1), set("a", 2, 3)],
    "a read beside a write that sees the new value": [set("a", 0, 1), set("b", 2, 6), get("b", 3, 4)],
    "a read beside a write that sees the old value": [set("a", 0, 1), set("b", 2, 6), get("a", 3, 4)],
    "a read that returned when a write was called, and sees it": [get("a", 0, 2), set("a", 2, 3)],
    "concurrent writes in the order that reads tell": [
      set("a", 0, 9),
      set("b", 0, 9),
      get("b", 1, 2),
      get("a", 3, 4),
    ],
    "an unknown write that takes effect late": [
      set("a", 0, 1),
      set("b", 2, never),
      get("a", 3, 4),
      get("b", 5, 6),
    ],
    "an unknown write that nobody saw": [set("a", 0, 1), set("b", 2, never), get("a", 9, 10)],
    "a failed write that nobody saw": [set("a", 0, 1), set("b", 2, failed), get("a", 9, 10)],
    "an unknown read": [set("a", 0, 1), get(undefined, 2, never), get("a", 3, 4)],
    "a failed read": [set("a", 0, 1), get(undefined, 2, failed)],
    "a value written again": [set("a", 0, 1), set("b", 2, 3), set("a", 4, 5), get("a", 6, 7)],
    "an unknown write of the value that is there already, needed later": [
      set("a", 0, 1),
      set("a", 2, never),
      set("b", 3, 4),
      get("b", 5, 6),
      get("a", 7, 8),
    ],
    "two equal unknown writes that both take effect": [
      set("a", 0, never),
      set("a", 1, never),
      get("a", 2, 3),
      set("b", 4, 5),
      get("b", 6, 7),
      get("a", 8, 9),
    ],
    "an unknown write seen only by what a delete found": [set("a", 0, never), remove(true, 1, 2)],
    "deletes that tell what they found": [
      remove(false, 0, 1),
      set("a", 2, 3),
      remove(true, 4, 5),
      get(undefined, 6, 7),
    ],
    "a delete that does not tell": [remove(undefined, 0, 1), set("a", 2, 3), remove(undefined, 4, 5)],
    "an unknown delete that takes effect between two reads": [
      set("a", 0, 1),
      remove(undefined, 2, never),
      get("a", 3, 4),
      get(undefined, 5, 6),
    ],
    "comparisons in a chain, the second of them unknown": [
      swap([undefined, "a"], true, [0, 1]),
      swap(["a", "b"], undefined, [2, never]),
      swap(["b", "c"], true, [3, 4]),
      get("c", 5, 6),
    ],
    "unknown comparisons one on top of the other": [
      swap(["b", "c"], undefined, [0, never]),
      swap(["a", "b"], undefined, [1, never]),
      swap([undefined, "a"], undefined, [2, never]),
      get("c", 3, 4),
    ],
    "an unknown write that must be saved for later, as another one will do now": [
      swap([undefined, "a"], undefined, [0, never]),
      set("a", 1, never),
      get("a", 2, 3),
      set("b", 4, 5),
      get("b", 6, 7),
      get("a", 8, 9),
    ],
    "a comparison refused because of an unknown write": [
      set("a", 0, 1),
      set("b", 2, never),
      swap(["a", "c"], false, [3, 4]),
    ],
    "a comparison whose answer did not tell": [
      set("a", 0, 1),
      swap(["b", "c"], undefined, [2, 3]),
      get("a", 4, 5),
    ],
    "keys that do not know each other": [on("x", set("a", 0, 1)), on("y", get(undefined, 2, 3))],
  };
  for (const [name, history] of Object.entries(good)) {
    it(name, () => {
      assert.deepEqual(checkRegisters(history), { kind: "linearizable" });
    });
  }
});

describe("a history of registers is violated by", () => {
  const bad: Record<string, RegisterOperation[]> = {
    "a stale read": [set("a", 0, 1), set("b", 2, 3), get("a", 4, 5)],
    "an acknowledged write that is missing": [set("a", 0, 1), get(undefined, 2, 3)],
    "a read of what was never written": [get("x", 0, 1)],
    "a read of what is written only later": [get("a", 0, 1), set("a", 2, 3)],
    "a read of what an unknown write writes only later": [get("a", 0, 1), set("a", 2, never)],
    "a read of what certainly failed": [set("a", 0, failed), get("a", 5, 6)],
    "reads that see concurrent writes in opposite orders": [
      set("a", 0, 20),
      set("b", 0, 20),
      get("a", 1, 2),
      get("b", 3, 4),
      get("a", 5, 6),
    ],
    "a value that comes back": [set("a", 0, 1), set("b", 2, never), get("b", 3, 4), get("a", 5, 6)],
    "an unknown write that takes effect twice": [
      set("a", 0, never),
      get("a", 1, 2),
      set("b", 3, 4),
      get("b", 5, 6),
      get("a", 7, 8),
    ],
    "a delete that took effect and is undone": [set("a", 0, 1), remove(true, 2, 3), get("a", 4, 5)],
    "a delete that found what is not there": [remove(true, 0, 1)],
    "a delete that found nothing where something is": [set("a", 0, 1), remove(false, 2, 3)],
    "two comparisons that both won": [
      set("a", 0, 1),
      swap(["a", "b"], true, [2, 5]),
      swap(["a", "c"], true, [2, 5]),
    ],
    "a comparison refused without reason": [set("a", 0, 1), swap(["a", "b"], false, [2, 3])],
    "a comparison that applied to another value": [set("a", 0, 1), swap(["b", "c"], true, [2, 3])],
    "one key of several": [on("x", set("a", 0, 1)), on("y", set("a", 0, 1)), on("x", get(undefined, 2, 3))],
  };
  for (const [name, history] of Object.entries(bad)) {
    it(name, () => {
      assert.equal(checkRegisters(history).kind, "violated");
    });
  }
});

describe("a verdict", () => {
  const stale = [
    ...Array.from({ length: 50 }, (_, at) => [
      set(`v${at}`, 10 * at, 10 * at + 2),
      get(`v${at}`, 10 * at + 5, 10 * at + 6),
    ]),
    [
      set("a", 1000, 1001),
      get("a", 1002, 1003),
      set("b", 1004, 1005),
      get("b", 1004, 1006),
      get("a", 1007, 1009),
    ],
    [set("c", 1008, never), set("d", 1008, 1020), get("d", 1021, 1022), get("d", 1023, 1024)],
  ].flat();

  it("names the first operation without a place, and the few that leave it none", () => {
    const verdict = checkRegisters(stale);
    assert.ok(verdict.kind === "violated");
    const { stuckAt, excerpt, operations } = verdict.violation;
    assert.equal(stuckAt, stale[104]);
    assert.deepEqual(excerpt, [stale[100], stale[102], stale[104]]);
    assert.equal(operations, 109);
  });

  it("is rendered as lines that tell who, when and what", () => {
    const verdict = checkRegisters(stale);
    assert.ok(verdict.kind === "violated");
    assert.equal(
      renderViolation(verdict.violation, registerModel.describe),
      [
        'not linearizable: get k saw "a"',
        "109 operations were judged; no order exists even for these 3:",
        '  1000 .. 1001  c1000  set k to "a"',
        '  1004 .. 1005  c1004  set k to "b"',
        '> 1007 .. 1009  c1007  get k saw "a"',
      ].join("\n"),
    );
  });

  it("is unknown, neither good nor bad, when the steps do not suffice", () => {
    assert.deepEqual(checkRegisters(stale, { steps: 20 }), { kind: "unknown", steps: 20 });
    const good = stale.slice(0, 100);
    assert.equal(checkRegisters(good, { steps: 20 }).kind, "unknown");
    assert.equal(checkRegisters(good).kind, "linearizable");
  });

  it("is violated even if another key is unknown", () => {
    const long = stale.slice(0, 100).map((one) => on("x", one));
    const bad = on("y", get("z", 0, 1));
    for (const history of [
      [...long, bad],
      [bad, ...long],
    ]) {
      assert.equal(checkRegisters(history, { steps: 20 }).kind, "violated");
    }
    assert.equal(checkRegisters([...long, on("y", set("z", 0, 1))], { steps: 20 }).kind, "unknown");
  });

  it("does not exist for a history that nobody can have recorded", () => {
    assert.throws(() => checkRegisters([set("a", 2, 1)]), RangeError);
    assert.throws(() => checkRegisters([set("a", Number.NaN, never)]), RangeError);
  });
});

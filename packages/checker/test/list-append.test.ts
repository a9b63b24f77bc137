import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkTransactions,
  type ListAction,
  renderTransactionVerdict,
  type Transaction,
  type TransactionVerdict,
} from "../src/index.ts";
import { failed, never, operation } from "./histories.ts";

type End = number | typeof never | typeof failed;
type Did = readonly [ListAction, readonly string[] | undefined];

const append = (key: string, element: string): Did => [{ kind: "append", key, element }, undefined];
const read = (key: string, ...list: string[]): Did => [{ kind: "read", key }, list];
const transaction = (calledAt: number, end: End, ...did: Did[]): Transaction =>
  operation(
    did.map(([action]) => action),
    did.map(([, result]) => result),
    [calledAt, end],
  );

function summary(verdict: TransactionVerdict): string {
  switch (verdict.kind) {
    case "serializable":
      return verdict.kind;
    case "contradiction":
      return verdict.because;
    case "cycle":
      return `${verdict.name}${verdict.inRealTime ? " in real time" : ""}, ${verdict.cycle.length}`;
  }
}

describe("a history of transactions on lists is", () => {
  const t = transaction;
  const cases: Record<string, readonly [string, readonly Transaction[]]> = {
    "good if it is empty": ["serializable", []],
    "good if each sees what came before": [
      "serializable",
      [t(0, 1, append("x", "1")), t(2, 3, read("x", "1"), append("x", "2")), t(4, 5, read("x", "1", "2"))],
    ],
    "good if a transaction sees its own appends": [
      "serializable",
      [
        t(0, 1, append("x", "1")),
        t(2, 3, read("x", "1"), append("x", "2"), append("x", "3"), read("x", "1", "2", "3")),
      ],
    ],
    "good if an unknown one took effect late": [
      "serializable",
      [t(0, never, append("x", "1")), t(1, 2, read("x")), t(3, 4, read("x", "1"))],
    ],
    "good if an unknown or failed one took no effect": [
      "serializable",
      [t(0, never, append("x", "1")), t(0, failed, append("x", "2")), t(1, 2, read("x"))],
    ],
    "good if one that returned as the other was called comes after it": [
      "serializable",
      [t(0, 2, read("x", "1")), t(2, 3, append("x", "1"))],
    ],
    "bad if two reads tell different orders": [
      "incompatible orders",
      [
        t(0, 9, append("x", "1")),
        t(0, 9, append("x", "2")),
        t(0, 9, read("x", "1", "2")),
        t(0, 9, read("x", "2")),
      ],
    ],
    "bad if a transaction took effect twice": [
      "element seen twice",
      [t(0, 9, append("x", "1")), t(0, 9, read("x", "1", "1"))],
    ],
    "bad if an element comes out of nowhere": ["element out of nowhere", [t(0, 1, read("x", "1"))]],
    "bad if an element is in another list": [
      "element out of nowhere",
      [t(0, 1, append("x", "1")), t(0, 1, read("y", "1"))],
    ],
    "bad if what failed is seen": ["aborted read", [t(0, failed, append("x", "1")), t(5, 6, read("x", "1"))]],
    "bad if a transaction does not see its own append": [
      "own appends not seen",
      [t(0, 1, append("x", "1"), read("x"))],
    ],
    "bad if a transaction sees its own append before it is made": [
      "own appends not seen",
      [t(0, 1, read("x", "1"), append("x", "1"))],
    ],
    "bad if another's append is after its own, in its own read": [
      "own appends not seen",
      [t(0, 9, append("x", "1"), read("x", "1", "2")), t(0, 9, append("x", "2"))],
    ],
    "good if another's append comes after all of a transaction's": [
      "serializable",
      [
        t(0, 1, append("x", "1"), append("x", "2")),
        t(2, 3, append("x", "3")),
        t(4, 5, read("x", "1", "2", "3")),
      ],
    ],
    "bad if a transaction's appends are in another order than it made them": [
      "appends out of order",
      [t(0, 1, append("x", "1"), append("x", "2")), t(2, 3, read("x", "2", "1"))],
    ],
    "bad if an unknown transaction's appends are in another order than it made them": [
      "appends out of order",
      [
        t(0, never, append("x", "1"), append("y", "2"), append("x", "3")),
        t(2, 3, append("x", "4")),
        t(2, 9, read("x", "4", "3", "1")),
      ],
    ],
    "bad if a transaction sees its own appends in another order": [
      "appends out of order",
      [t(0, 1, append("x", "1"), append("x", "2"), read("x", "2", "1"))],
    ],
    "bad if an append is between two of one transaction": [
      "G0, 2",
      [
        t(0, 9, append("x", "1"), append("x", "2")),
        t(0, 9, append("x", "3")),
        t(10, 11, read("x", "1", "3", "2")),
      ],
    ],
    "bad if appends to two lists are in opposite orders": [
      "G0, 2",
      [
        t(0, 9, append("x", "1"), append("y", "1'")),
        t(0, 9, append("x", "2"), append("y", "2'")),
        t(0, 9, read("x", "1", "2")),
        t(0, 9, read("y", "2'", "1'")),
      ],
    ],
    "bad if two see each other": [
      "G1c, 2",
      [t(0, 9, append("x", "1"), read("y", "2")), t(0, 9, append("y", "2"), read("x", "1"))],
    ],
    "bad if half of a transaction is seen": [
      "G-single, 2",
      [t(0, 9, append("x", "1"), append("x", "2")), t(0, 9, read("x", "1")), t(0, 9, read("x", "1", "2"))],
    ],
    "bad if half of an unknown transaction is seen, and nobody ever sees the other": [
      "G-single, 2",
      [t(0, never, append("x", "1"), append("y", "2")), t(1, 2, read("x", "1"), read("y"))],
    ],
    "bad if a read is not repeatable": [
      "G-single, 2",
      [t(0, 9, append("x", "1")), t(0, 9, read("x"), read("x", "1"))],
    ],
    "bad if two each miss what the other appends (write skew)": [
      "G2, 2",
      [
        t(0, 9, read("x"), append("y", "1")),
        t(0, 9, read("y"), append("x", "2")),
        t(10, 11, read("x", "2"), read("y", "1")),
      ],
    ],
    "bad if two readers see two appends in different orders (long fork)": [
      "G2, 4",
      [
        t(0, 9, append("x", "1")),
        t(0, 9, append("y", "2")),
        t(0, 9, read("x", "1"), read("y")),
        t(0, 9, read("x"), read("y", "2")),
      ],
    ],
    "bad if an update is lost": [
      "G2, 2",
      [t(0, 9, read("x"), append("x", "1")), t(0, 9, read("x"), append("x", "2"))],
    ],
    "bad if a read is stale": ["G-single in real time, 2", [t(0, 1, append("x", "1")), t(2, 3, read("x"))]],
    "bad if an acknowledged append is missing though others are seen": [
      "G0 in real time, 2",
      [t(0, 1, append("x", "1")), t(2, 3, append("x", "2")), t(4, 5, read("x", "2"))],
    ],
    "bad if a later append comes first": [
      "G0 in real time, 2",
      [t(0, 1, append("x", "1")), t(2, 3, append("x", "2")), t(4, 5, read("x", "2", "1"))],
    ],
    "bad if something is seen before it was asked for": [
      "G1c in real time, 2",
      [t(0, 1, read("x", "1")), t(2, 3, append("x", "1"))],
    ],
  };
  for (const [name, [expected, history]] of Object.entries(cases)) {
    it(name, () => {
      assert.equal(summary(checkTransactions(history)), expected);
    });
  }
});

describe("a verdict on transactions", () => {
  it("is rendered as a cycle with its reasons", () => {
    const history = [
      ...Array.from({ length: 30 }, (_, at) => transaction(at * 2, at * 2 + 1, append("y", `y${at}`))),
      transaction(100, 101, append("x", "1")),
      ...Array.from({ length: 30 }, (_, at) =>
        transaction(200 + at * 2, 201 + at * 2, append("z", `z${at}`)),
      ),
      transaction(300, 301, read("x"), append("z", "z")),
    ];
    assert.equal(
      renderTransactionVerdict(checkTransactions(history)),
      [
        "not strictly serializable: each of these comes before the next, and the last before the first (G-single)",
        "  100 .. 101  c100  append 1 to x",
        "      had returned before this was called (time)",
        "  300 .. 301  c300  read x [], append z to z",
        "      did not see 1 in x (rw)",
      ].join("\n"),
    );
  });

  it("is rendered as a contradiction with those who are part of it", () => {
    const history = [transaction(0, failed, append("x", "1")), transaction(5, 6, read("x", "1"))];
    assert.equal(
      renderTransactionVerdict(checkTransactions(history)),
      [
        "not serializable: aborted read, 1 in x",
        "  0 .. 1 failed  c0  append 1 to x",
        "  5 .. 6         c5  read x [1]",
      ].join("\n"),
    );
    assert.equal(renderTransactionVerdict(checkTransactions([])), "");
  });

  it("does not exist for histories that it cannot judge", () => {
    const twice = [transaction(0, 1, append("x", "1")), transaction(0, 1, append("y", "1"))];
    assert.throws(() => checkTransactions(twice), RangeError);
    const unanswered = transaction(0, 1, [{ kind: "read", key: "x" }, undefined]);
    assert.throws(() => checkTransactions([unanswered]), /a transaction of c0 has no answer .* action 1$/);
    const toAppend = transaction(0, 1, read("x"), [{ kind: "append", key: "x", element: "1" }, ["1"]]);
    assert.throws(() => checkTransactions([toAppend]), /no answer that fits its action 2$/);
    const tooMany = operation([{ kind: "read", key: "x" }] as const, [[], []], [0, 1]);
    assert.throws(() => checkTransactions([tooMany]), /no answer that fits its action 2$/);
    assert.throws(() => checkTransactions([transaction(2, 1, append("x", "1"))]), RangeError);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkRegister, type Operation } from "./linearizable.ts";

const write = (value: string, calledAt: number, returnedAt: number): Operation => ({
  kind: "write",
  value,
  calledAt,
  returnedAt,
});
const read = (value: string | undefined, calledAt: number, returnedAt: number): Operation => ({
  kind: "read",
  value,
  calledAt,
  returnedAt,
});

describe("the linearizability checker", () => {
  const good: Record<string, Operation[]> = {
    "an empty history": [],
    "a read before any write sees nothing": [read(undefined, 0, 1), write("a", 2, 3)],
    "a read beside a write sees either": [
      write("a", 0, 1),
      write("b", 2, 6),
      read("b", 3, 4),
      read("b", 7, 8),
    ],
    "concurrent writes in any order": [write("a", 0, 9), write("b", 0, 9), read("b", 10, 11)],
    "an unknown write that takes effect late": [
      write("a", 0, 1),
      write("b", 2, Infinity),
      read("a", 3, 4),
      read("b", 5, 6),
    ],
    "an unknown write that nobody saw": [write("a", 0, 1), write("b", 2, Infinity), read("a", 9, 10)],
  };
  for (const [name, history] of Object.entries(good)) {
    it(`accepts ${name}`, () => {
      assert.deepEqual(checkRegister(history), { kind: "linearizable" });
    });
  }

  const bad: Record<string, Operation[]> = {
    "a stale read": [write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)],
    "an acknowledged write that is missing": [write("a", 0, 1), read(undefined, 2, 3)],
    "a read of what was never written": [read("x", 0, 1)],
    "two reads that see concurrent writes in opposite orders": [
      write("a", 0, 20),
      write("b", 0, 20),
      read("a", 1, 2),
      read("b", 3, 4),
      read("a", 5, 6),
    ],
    "a value that comes back": [write("a", 0, 1), write("b", 2, Infinity), read("b", 3, 4), read("a", 5, 6)],
  };
  for (const [name, history] of Object.entries(bad)) {
    it(`refuses ${name}`, () => {
      assert.equal(checkRegister(history).kind, "impossible");
    });
  }
});

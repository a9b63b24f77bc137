/** Histories as long as those of real runs. Steps, which are the same on every machine, stand for time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkRegisters, checkTransactions, type Transaction } from "../src/index.ts";
import { forged, registerLoad } from "./load.ts";

describe("20,000 operations", () => {
  for (const [name, load] of Object.entries({
    "of 64 clients on 32 keys, some hundred unknown": {
      keys: 32,
      clients: 64,
      unknownEvery: 25,
      steps: 5000,
    },
    "of 64 clients on 32 keys, one write in five unknown": {
      keys: 32,
      clients: 64,
      unknownEvery: 5,
      steps: 140_000,
    },
    "of 8 clients on one key": { keys: 1, clients: 8, unknownEvery: 1000, steps: 150_000 },
  })) {
    const history = registerLoad({ ...load, operations: 20_000, seed: 1 });

    // As many as it takes, and hardly more: what saves steps is missed when it is gone.
    it(`${name}, are judged in at most ${load.steps} steps a key`, () => {
      assert.deepEqual(checkRegisters(history, { steps: load.steps }), { kind: "linearizable" });
    });

    it(`${name}, are found to be wrong if a single read is stale, by a few of them`, () => {
      const reads = history.filter(
        ({ action, outcome }) =>
          action.kind === "get" && outcome.kind === "ok" && outcome.result.value !== undefined,
      );
      const victim = reads[15_000 % reads.length];
      const earlier = reads.find(({ action }) => action.key === victim?.action.key);
      assert.ok(victim !== undefined && earlier?.outcome.kind === "ok");
      const verdict = checkRegisters(forged(history, victim, earlier.outcome.result));
      assert.ok(verdict.kind === "violated");
      assert.ok(verdict.violation.excerpt.length < 10, String(verdict.violation.excerpt.length));
    });
  }

  it("in transactions are judged, and a stale read among them is told by two", () => {
    const lists = new Map<string, string[]>();
    const history = Array.from({ length: 20_000 }, (_, at): Transaction => {
      // Short lists, as a workload keeps them: a key is left after so many appends.
      const key = `${Math.floor(at / 1000)}/${(at * 7) % 31}`;
      const isRead = at % 2 === 0;
      const seen = [...(lists.get(key) ?? [])];
      if (!isRead) lists.set(key, [...seen, `e${at}`]);
      return {
        client: `c${at % 64}`,
        action: isRead ? [{ kind: "read", key }] : [{ kind: "append", key, element: `e${at}` }],
        calledAt: at,
        outcome: { kind: "ok", at: at + 64, result: [isRead ? seen : undefined] },
      };
    });
    assert.equal(checkTransactions(history).kind, "serializable");
    const victim = history[15_990];
    assert.ok(victim !== undefined);
    const verdict = checkTransactions(forged(history, victim, [[]]));
    assert.ok(verdict.kind === "cycle");
    assert.equal(verdict.cycle.length, 2);
  });
});

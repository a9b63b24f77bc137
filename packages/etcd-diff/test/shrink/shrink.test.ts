import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Finding } from "../../src/compare/finding.ts";
import { dropItems } from "../../src/shrink/drop.ts";
import { shrink } from "../../src/shrink/shrink.ts";
import { simplerSteps } from "../../src/shrink/simpler.ts";
import type { Step } from "../../src/step.ts";

const numbers = Array.from({ length: 100 }, (_, at) => at);

describe("making a list smaller", () => {
  it("leaves what is needed, wherever it is", async () => {
    const needed = [3, 50, 51, 99];
    const still = (items: readonly number[]) => Promise.resolve(needed.every((one) => items.includes(one)));
    assert.deepEqual(await dropItems(numbers, still), needed);
  });

  it("leaves everything if everything is needed", async () => {
    assert.deepEqual(await dropItems([1, 2, 3], (items) => Promise.resolve(items.length === 3)), [1, 2, 3]);
  });
});

describe("a simpler step", () => {
  it("lacks one thing, at any depth", () => {
    const step: Step = { call: "KV/Txn", request: { success: [{ request_put: { key: "a", value: "b" } }] } };
    const requests = [...simplerSteps(step)].map(({ request }) => JSON.stringify(request));
    assert.deepEqual(requests, [
      "{}",
      '{"success":[]}',
      '{"success":[{}]}',
      '{"success":[{"request_put":{"value":"b"}}]}',
      '{"success":[{"request_put":{"key":"a"}}]}',
    ]);
  });
});

describe("making a stream smaller", () => {
  const put = (key: string): Step => ({ call: "KV/Put", request: { key, value: "1", prev_kv: true } });
  const range = (key: string): Step => ({ call: "KV/Range", request: { key, limit: 1 } });
  const found = (at: number, path = "count"): Finding => ({
    at,
    what: "KV/Range",
    difference: { path, a: 1, b: 2 },
    a: {},
    b: {},
  });

  /** Two servers that differ in the first range over a key that was put before. */
  function play(steps: readonly Step[]) {
    const at = steps.findIndex(
      ({ call, request }, place) =>
        call === "KV/Range" &&
        steps.slice(0, place).some((one) => one.call === "KV/Put" && one.request["key"] === request["key"]),
    );
    return Promise.resolve({ finding: at < 0 ? undefined : found(at), steps });
  }

  const noise = Array.from({ length: 300 }, (_, at) =>
    at % 2 === 0 ? put(`k${String(at)}`) : range("none"),
  );

  it("leaves the steps and the fields that it takes", async () => {
    const steps = [put("a"), ...noise, range("a"), range("none")];
    const outcome = await play(steps);
    const shrunk = await shrink(outcome, { run: play, isOver: () => false });
    assert.deepEqual(shrunk?.steps, [
      { call: "KV/Put", request: { key: "a" } },
      { call: "KV/Range", request: { key: "a" } },
    ]);
  });

  it("does not take another difference for the same one", async () => {
    const outcome = await play([put("a"), range("a")]);
    const other = (steps: readonly Step[]) => Promise.resolve({ finding: found(0, "more"), steps });
    assert.equal(await shrink(outcome, { run: other, isOver: () => false }), undefined);
  });

  it("ends when it is told to", async () => {
    let runs = 0;
    const outcome = await play([put("a"), ...noise, range("a")]);
    const shrunk = await shrink(outcome, {
      run: (steps) => {
        runs += 1;
        return play(steps);
      },
      isOver: () => runs >= 6,
    });
    assert.equal(runs, 6);
    assert.ok((shrunk?.steps.length ?? 0) > 2);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Backoff } from "../../src/transport/backoff.ts";

const limits = { firstMs: 50, maxMs: 2_000 };
const delays = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

describe("the wait before dialling again", () => {
  it("doubles up to its limit and starts anew after success", () => {
    const backoff = new Backoff(limits, { below: (bound) => bound - 1, name: () => 1n });
    assert.deepEqual(delays(backoff, 8), [49, 99, 199, 399, 799, 1599, 1999, 1999]);
    backoff.reset();
    assert.equal(backoff.next(), 49);
  });

  it("is at least the half, however the dice fall and however often it failed", () => {
    const backoff = new Backoff(limits, { below: () => 0, name: () => 1n });
    assert.deepEqual(delays(backoff, 7), [25, 50, 100, 200, 400, 800, 1000]);
    assert.ok(delays(backoff, 5_000).every((delay) => delay === 1000));
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { distributionOf } from "../../src/recovery/distribution.ts";

test("percentiles are durations that occurred, in whatever order they came", () => {
  const durations = Array.from({ length: 200 }, (_, at) => ((at * 37) % 200) + 1);
  assert.deepEqual(distributionOf(durations), {
    count: 200,
    minMs: 1,
    medianMs: 100,
    p99Ms: 198,
    maxMs: 200,
  });
});

test("of fewer than a hundred the 99th percentile is the largest", () => {
  assert.deepEqual(distributionOf([9, 10, 1]), { count: 3, minMs: 1, medianMs: 9, p99Ms: 10, maxMs: 10 });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "../../src/workload/histogram.ts";

test("a percentile is within a bucket's width of the exact one", () => {
  const durations = fc.array(fc.double({ min: 0, max: 100_000, noNaN: true }), {
    minLength: 1,
    maxLength: 300,
  });
  const fractions = fc.constantFrom(0, 0.5, 0.99, 0.999, 1);
  fc.assert(
    fc.property(durations, fractions, (ms, fraction) => {
      const histogram = new Histogram();
      for (const duration of ms) histogram.record(duration);
      const sorted = [...ms].sort((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1] ?? 0;
      const found = histogram.percentileMs(fraction);
      // Half a microsecond is lost by rounding, and a bucket is at most 1/128 wide.
      assert.ok(Math.abs(found - exact) <= 0.000_51 + exact / 128, `${found} for ${exact}`);
    }),
  );
});

test("count, mean and maximum are exact", () => {
  const histogram = new Histogram();
  for (const duration of [1, 2.5, 4]) histogram.record(duration);
  assert.deepEqual([histogram.count, histogram.meanMs, histogram.maxMs], [3, 2.5, 4]);
});

test("an empty one answers 0, and a duration beyond all buckets is kept in the last", () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentileMs(0.5), 0);
  assert.equal(histogram.meanMs, 0);
  histogram.record(1e9);
  assert.equal(histogram.percentileMs(1), (2 ** 32 - 1) / 1000);
  assert.equal(histogram.maxMs, 1e9);
});

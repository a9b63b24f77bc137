import { assert } from "../assert.ts";

/** A handful of durations, exactly. */
export interface Distribution {
  readonly count: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Percentiles are durations that occurred, the next larger one where none is exact. */
export function distributionOf(durationsMs: readonly number[]): Distribution {
  assert(durationsMs.length > 0, "a distribution is of something");
  const sorted = [...durationsMs].sort((one, other) => one - other);
  const percentile = (fraction: number): number => sorted[Math.ceil(fraction * sorted.length) - 1] ?? 0;
  return {
    count: sorted.length,
    minMs: sorted[0] ?? 0,
    medianMs: percentile(0.5),
    p99Ms: percentile(0.99),
    maxMs: sorted.at(-1) ?? 0,
  };
}

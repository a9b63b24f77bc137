import { assert } from "../assert.ts";

/** Each power of two above the first is cut into this many buckets, so a bucket is at most 0.8 % wide. */
const bucketsPerOctave = 128;
const mantissaBits = 8;
/** Durations are counted in microseconds of 32 bits: more than an hour. */
const largestUs = 2 ** 32 - 1;
const bucketCount = bucketOf(largestUs) + 1;

/** Counts durations in buckets whose width grows with them: bounded memory, bounded relative error. */
export class Histogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  record(durationMs: number): void {
    const bucket = bucketOf(Math.min(largestUs, Math.max(0, Math.round(durationMs * 1000))));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  get count(): number {
    return this.#count;
  }

  /** 0 when nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The duration that a fraction (0 to 1) of all do not exceed, rounded up to its bucket; 0 when empty. */
  percentileMs(fraction: number): number {
    assert(fraction >= 0 && fraction <= 1, "a percentile is between 0 and 1");
    let remaining = Math.max(1, Math.ceil(fraction * this.#count));
    for (const [bucket, count] of this.#counts.entries()) {
      remaining -= count;
      if (remaining <= 0) return Math.min(this.#maxMs, upperEndUs(bucket) / 1000);
    }
    return 0;
  }
}

/** Below 256 each microsecond has its own bucket; above, the eight highest bits choose it. */
function bucketOf(us: number): number {
  if (us < bucketsPerOctave) return us;
  const shift = 32 - Math.clz32(us) - mantissaBits;
  return shift * bucketsPerOctave + (us >>> shift);
}

/** The largest duration that falls into a bucket. */
function upperEndUs(bucket: number): number {
  if (bucket < bucketsPerOctave) return bucket;
  const shift = Math.floor(bucket / bucketsPerOctave) - 1;
  const mantissa = bucket - shift * bucketsPerOctave;
  return (mantissa + 1) * 2 ** shift - 1;
}

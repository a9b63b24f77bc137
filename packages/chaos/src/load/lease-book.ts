/** What was promised of leases: none ends before its time, and none outlives it by long when all is well. */

interface Promised {
  /** When its holder had asked for its time, in milliseconds. */
  askedMs: number;
  ttlSeconds: number;
}

/** By so much members' clocks may be faster than this one. */
const drift = 0.01;
/** How long after its time a lease may be there in a cluster at rest: for an election, with all of its time again. */
export const graceMs = 20_000;

/** Each method returns what is wrong, if something is. Times are of one clock, that of who asks. */
export class LeaseBook {
  readonly #promised = new Map<string, Promised>();
  #longestSeconds = 0;

  /** A key lives for so long from when its holder asked for it. */
  promised(key: string, { askedMs, ttlSeconds }: Promised): void {
    this.#promised.set(key, { askedMs, ttlSeconds });
    this.#longestSeconds = Math.max(this.#longestSeconds, ttlSeconds);
  }

  /** Its holder gives it up: nothing more is said of it. */
  forget(key: string): void {
    this.#promised.delete(key);
  }

  /** A key was gone at that time, or before. */
  gone(key: string, nowMs: number): string | undefined {
    const promised = this.#promised.get(key);
    if (promised === undefined) return undefined;
    const leastMs = (promised.ttlSeconds * 1000) / (1 + drift);
    const livedMs = nowMs - promised.askedMs;
    if (livedMs >= leastMs) return undefined;
    return `${key} was to live for ${String(promised.ttlSeconds)} s, and was gone after ${livedMs.toFixed(0)} ms`;
  }

  /** Those keys are there. @param restMs how long nothing was asked for, and nothing disturbed the cluster */
  left(keys: readonly string[], restMs: number): string | undefined {
    if (keys.length === 0 || restMs <= this.#longestSeconds * 1000 + graceMs) return undefined;
    const shown = keys.slice(0, 5).join(", ");
    return `no lease has more than ${String(this.#longestSeconds)} s, and after ${(restMs / 1000).toFixed(0)} s there are ${shown} still`;
  }
}

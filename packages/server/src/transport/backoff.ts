import type { Random } from "../platform/random.ts";

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** How long to wait before the next attempt: doubling up to a limit, and never the same for two members. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: Random;
  #failures = 0;

  constructor(limits: BackoffLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** Between a half and the whole of the current delay, in milliseconds. */
  next(): number {
    const { firstMs, maxMs } = this.#limits;
    const delayMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return delayMs / 2 + this.#random.below(Math.ceil(delayMs / 2));
  }

  reset(): void {
    this.#failures = 0;
  }
}

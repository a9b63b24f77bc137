import type { Target } from "../http2/dial.ts";
import type { Outcome } from "../workload/open-loop.ts";

/** How long a cluster took no writes after something was done to it. */
export interface WriteGap {
  /** Until the first write was acknowledged that was sent afterwards, through whichever member. */
  readonly firstMs: number;
  /** Until that was so through each of the members that were written to. */
  readonly everyMemberMs: number;
  /** The longest time between two acknowledgements, whenever the writes were sent. */
  readonly longestSilenceMs: number;
}

/** Watches the outcomes of a load for the end of a gap. */
export class GapWatch {
  readonly #targets: readonly Target[];
  readonly #fromMs: number;
  readonly #firstBy = new Map<Target, number>();
  readonly #closed = Promise.withResolvers<WriteGap>();
  /** The last acknowledgement before the gap counts as one at its beginning. */
  #lastMs: number;
  #longestSilenceMs = 0;

  /** What happened at `fromMs` begins the gap; writes go to all of `targets`. */
  constructor(targets: readonly Target[], fromMs: number) {
    this.#targets = targets;
    this.#fromMs = fromMs;
    this.#lastMs = fromMs;
  }

  /** Resolves when writes go through every member again. */
  get closed(): Promise<WriteGap> {
    return this.#closed.promise;
  }

  record({ target, sentMs, endedMs, problem }: Outcome): void {
    if (problem !== undefined || endedMs < this.#fromMs || this.#isClosed) return;
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, endedMs - this.#lastMs);
    this.#lastMs = endedMs;
    // A write sent before may be acknowledged by what was already on its way.
    if (sentMs < this.#fromMs || this.#firstBy.has(target)) return;
    this.#firstBy.set(target, endedMs - this.#fromMs);
    if (!this.#isClosed) return;
    const gaps = [...this.#firstBy.values()];
    this.#closed.resolve({
      firstMs: Math.min(...gaps),
      everyMemberMs: Math.max(...gaps),
      longestSilenceMs: this.#longestSilenceMs,
    });
  }

  get #isClosed(): boolean {
    return this.#firstBy.size === this.#targets.length;
  }
}

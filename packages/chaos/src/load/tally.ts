/** Counts of what clients asked, and of how long nobody could write. */

export class Tally {
  acknowledged = 0;
  /** Of those acknowledged, the ones that change something. */
  writes = 0;
  failed = 0;
  unknown = 0;
  #longestGapMs = 0;
  #lastWriteMs: number;

  constructor(nowMs: number) {
    this.#lastWriteMs = nowMs;
  }

  /** All that has ended. */
  get operations(): number {
    return this.acknowledged + this.failed + this.unknown;
  }

  /** A write was acknowledged. */
  wrote(nowMs: number): void {
    this.writes += 1;
    this.#longestGapMs = this.gapMs(nowMs);
    this.#lastWriteMs = nowMs;
  }

  /** The longest time without a successful write, the one that lasts until now included. */
  gapMs(nowMs: number): number {
    return Math.max(this.#longestGapMs, nowMs - this.#lastWriteMs);
  }
}

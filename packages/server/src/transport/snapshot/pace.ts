import type { Clock } from "../../platform/clock.ts";

/** What may leave at once after a pause. */
const burstMs = 50;

/** A timer that is later than this found the machine busy. */
const toleratedLateMs = 3;

/** Rests are so many times as long as the timer was late, and not longer than that. */
const restFactor = 4;
const longestRestMs = 250;

/**
 * How long to send nothing when a timer came so late. Whoever sends a snapshot reads the whole state, and who
 * takes it writes it all: where that is felt, it is what can wait, and clients cannot.
 */
export function restMs(lateMs: number): number {
  return lateMs <= toleratedLateMs ? 0 : Math.min(restFactor * lateMs, longestRestMs);
}

/** A rate that several share: whoever wants to send is told how long to wait. */
export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** When everything that was asked for so far will have left. */
  #freeMs: number;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#freeMs = clock.nowMs();
  }

  /** Milliseconds after which so many bytes may leave. Asking counts as sending. */
  delayMs(bytes: number): number {
    const nowMs = this.#clock.nowMs();
    const startMs = Math.max(this.#freeMs, nowMs - burstMs);
    this.#freeMs = startMs + bytes / this.#bytesPerMs;
    return Math.max(0, startMs - nowMs);
  }
}

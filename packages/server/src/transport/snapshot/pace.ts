import type { Clock } from "../../platform/clock.ts";

/** What may leave at once after a pause. */
const burstMs = 50;

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

/**
 * The system's clock, which a test can push ahead: as for a process that was paused, so much time has passed
 * then, and each timer that is due runs once.
 */
import { type Cancel, type Clock, systemClock } from "../../src/platform/clock.ts";

interface Timer {
  dueMs: number;
  /** Undefined: it runs once. */
  readonly periodMs: number | undefined;
  readonly callback: () => void;
  cancelReal: Cancel;
}

export class PushedClock implements Clock {
  #aheadMs = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#begin({ delayMs, periodMs: undefined }, callback);
  }

  every(periodMs: number, callback: () => void): Cancel {
    return this.#begin({ delayMs: periodMs, periodMs }, callback);
  }

  soon(callback: () => void): void {
    systemClock.soon(callback);
  }

  push(ms: number): void {
    this.#aheadMs += ms;
    const nowMs = this.nowMs();
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= nowMs);
    for (const timer of due) this.#run(timer);
  }

  #begin(
    { delayMs, periodMs }: { readonly delayMs: number; readonly periodMs: number | undefined },
    callback: () => void,
  ): Cancel {
    const timer: Timer = { dueMs: 0, periodMs, callback, cancelReal: () => undefined };
    this.#schedule(timer, delayMs);
    return () => {
      timer.cancelReal();
      this.#timers.delete(timer);
    };
  }

  #schedule(timer: Timer, delayMs: number): void {
    timer.dueMs = this.nowMs() + delayMs;
    this.#timers.add(timer);
    // Node's timers take no more than that; a test does not wait for as long.
    timer.cancelReal = systemClock.after(Math.min(delayMs, 2 ** 31 - 1), () => {
      this.#run(timer);
    });
  }

  #run(timer: Timer): void {
    if (!this.#timers.delete(timer)) return;
    timer.cancelReal();
    if (timer.periodMs !== undefined) this.#schedule(timer, timer.periodMs);
    timer.callback();
  }
}

/**
 * A machine's clock, which runs a little too fast or too slow, and now and then finds that time has passed.
 */
import type { Cancel, Clock } from "@dkv/server/platform/clock";
import type { SimEvent } from "../world/events.ts";
import type { Life } from "../world/life.ts";

/** Node's timers are never shorter. */
const leastTimerMs = 1;

/** The hardware's: it outlives processes. */
export class MachineClock {
  /** Microseconds that it counts in a million true ones, divided by a million. */
  readonly rate: number;
  #aheadUs = 0;

  constructor(rate: number) {
    this.rate = rate;
  }

  /** What it shows; never goes back. */
  readUs(nowUs: number): number {
    return nowUs * this.rate + this.#aheadUs;
  }

  /** As after a virtual machine was suspended. */
  jump(byUs: number): void {
    this.#aheadUs += byUs;
  }
}

/** As the process sees it. */
export class SimClock implements Clock {
  readonly #life: Life;
  readonly #machine: MachineClock;
  readonly #turnUs: number;

  /** @param turnUs after which a turn of the event loop has read what had arrived */
  constructor(life: Life, machine: MachineClock, turnUs: number) {
    this.#life = life;
    this.#machine = machine;
    this.#turnUs = turnUs;
  }

  nowMs(): number {
    return this.#machine.readUs(this.#life.world.nowUs) / 1000;
  }

  after(delayMs: number, callback: () => void): Cancel {
    return cancelOf(this.#life.after(this.#trueUs(delayMs), "timer", callback));
  }

  every(periodMs: number, callback: () => void): Cancel {
    let next: SimEvent;
    const tick = (): void => {
      next = this.#life.after(this.#trueUs(periodMs), "timer", tick);
      callback();
    };
    next = this.#life.after(this.#trueUs(periodMs), "timer", tick);
    return () => {
      next.run = undefined;
    };
  }

  soon(callback: () => void): void {
    this.#life.after(this.#turnUs, "turn", callback);
  }

  #trueUs(ms: number): number {
    return (Math.max(leastTimerMs, ms) * 1000) / this.#machine.rate;
  }
}

function cancelOf(event: SimEvent): Cancel {
  return () => {
    event.run = undefined;
  };
}

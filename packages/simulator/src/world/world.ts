/**
 * Time and order. One event happens after the other; between two, everything that waits for a promise has
 * run to its end, so that nothing depends on the machine that simulates.
 */
import { EventQueue, type EventKind, type SimEvent } from "./events.ts";
import type { Life } from "./life.ts";
import { Probes } from "./probes.ts";
import type { Trace } from "./trace.ts";

/** So many events happen before other work of this process, like its signals, has a turn. */
const breathEvery = 8192;

/** In one simulated millisecond: what makes work for itself without end would stop time. */
export const mostEventsAtOnce = 5000;

export class World {
  readonly trace: Trace;
  readonly probes = new Probes();
  /** Microseconds since the beginning. */
  nowUs = 0;
  /** The process that the current event happens in. */
  current: Life | undefined;
  /** Called after each event, when all that follows from it is done. A throw ends the run. */
  onSettled: (life: Life | undefined, kind: EventKind | undefined) => void = () => undefined;
  readonly #queue = new EventQueue();
  #sequence = 0;
  /** Of the current event. */
  #kind: EventKind | undefined;
  #failure: Error | undefined;
  /** The millisecond that is looked at, and the step that it began with. */
  #millisecond = { number: 0, firstStep: 0 };

  constructor(trace: Trace) {
    this.trace = trace;
  }

  get pending(): number {
    return this.#queue.size;
  }

  /** @param delayUs microseconds from now; @param life of nobody if it is undefined */
  // oxlint-disable-next-line max-params -- runs some thousand times a simulated second
  after(delayUs: number, kind: EventKind, run: () => void, life?: Life): SimEvent {
    const atUs = this.nowUs + Math.max(0, Math.round(delayUs));
    this.#sequence += 1;
    const event = { atUs, sequence: this.#sequence, kind, life, run };
    this.#queue.push(event);
    return event;
  }

  /** Ends the run: it has shown what must not be. Only the first one counts. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }

  /** Resolves when everything up to then has happened, or rejects with the first failure. */
  run(untilUs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const again = (): void => {
      // A tick comes once no promise has anything left to do, and so do those that it makes.
      if (this.trace.step % breathEvery === 0) breathe(step);
      else process.nextTick(step);
    };
    const step = (): void => {
      this.#settle();
      if (this.#failure !== undefined) {
        reject(this.#failure);
      } else if (this.#queue.nextUs > untilUs) {
        this.nowUs = untilUs;
        this.current = undefined;
        resolve();
      } else {
        this.#next(untilUs);
        queueMicrotask(again);
      }
    };
    step();
    return promise;
  }

  #settle(): void {
    try {
      this.onSettled(this.current, this.#kind);
    } catch (error) {
      this.fail(error);
    }
  }

  #next(untilUs: number): void {
    while (this.#queue.nextUs <= untilUs) {
      const event = this.#queue.pop();
      if (event?.run === undefined) continue;
      this.nowUs = event.atUs;
      if (event.life !== undefined && !event.life.admits(event)) continue;
      this.current = event.life;
      this.#kind = event.kind;
      this.trace.event(event);
      this.#checkProgress();
      try {
        event.run();
      } catch (error) {
        this.fail(error);
      }
      return;
    }
  }

  #checkProgress(): void {
    const number = Math.floor(this.nowUs / 1000);
    const { step } = this.trace;
    if (number !== this.#millisecond.number) this.#millisecond = { number, firstStep: step };
    else if (step - this.#millisecond.firstStep >= mostEventsAtOnce)
      this.fail(
        new Error(`time stands still: more than ${String(mostEventsAtOnce)} events at ${String(number)} ms`),
      );
  }
}

function breathe(then: () => void): void {
  // oxlint-disable-next-line no-restricted-globals -- simulated time stands still meanwhile
  setImmediate(then);
}

/** A part of the run that is judged by itself: it has keys of its own, which nobody writes before or after. */
import { type History, type Pending, Recorder } from "@dkv/checker";

export interface Begun<Result> {
  readonly pending: Pending<Result>;
  readonly end: () => void;
}

export class Window<Action, Result> {
  readonly keys: readonly string[];
  readonly #recorder: Recorder<Action, Result>;
  #begun = 0;
  #pending = 0;
  #settled: (() => void) | undefined;

  /** @param clock tells the time of calls and returns; it never goes back */
  constructor(keys: readonly string[], clock: () => number) {
    this.keys = keys;
    this.#recorder = new Recorder(clock);
  }

  /** Operations begun. */
  get size(): number {
    return this.#begun;
  }

  /** To be called before the request leaves; `end` is called once when it has ended, however it did. */
  begin(client: string, action: Action): Begun<Result> {
    this.#begun += 1;
    this.#pending += 1;
    return {
      pending: this.#recorder.begin(client, action),
      end: () => {
        this.#pending -= 1;
        if (this.#pending === 0) this.#settled?.();
      },
    };
  }

  /** Resolves when all that was begun has ended. Nothing may be begun any more but by who waits. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled = resolve;
      if (this.#pending === 0) resolve();
    });
  }

  history(): History<Action, Result> {
    return this.#recorder.history();
  }
}

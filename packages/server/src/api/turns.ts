/**
 * Has many who each have much to do give way to everything else: one of them goes on in each turn of the
 * event loop. Promises alone do not let anybody else in, however many there are.
 */
import type { Clock } from "../platform/clock.ts";

export class Turns {
  readonly #clock: Pick<Clock, "soon">;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  readonly #next = (): void => {
    for (const resolve of this.#waiting) {
      this.#waiting.delete(resolve);
      if (this.#waiting.size > 0) this.#clock.soon(this.#next);
      resolve();
      return;
    }
  };

  constructor(clock: Pick<Clock, "soon">) {
    this.#clock = clock;
  }

  /** Resolves when it is the caller's turn. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      if (this.#waiting.size === 1) this.#clock.soon(this.#next);
    });
  }
}

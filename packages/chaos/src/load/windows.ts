/** Windows one after the other, each judged while the next one is filled. */
import { nowMs, sleep } from "../platform/time.ts";
import type { Crew } from "./crew.ts";
import { Window } from "./window.ts";

export interface WindowsOptions<Action, Result> {
  readonly crew: Crew;
  /** Keys of the window of that number, which no other has. */
  readonly keysOf: (window: number) => readonly string[];
  /** A window is closed after so many operations, or so long. */
  readonly size: number;
  readonly ms: number;
  /** Judges a window after all that was begun in it has ended. */
  readonly close: (window: Window<Action, Result>) => Promise<void>;
}

export class Windows<Action, Result> {
  readonly #options: WindowsOptions<Action, Result>;
  #count = 0;
  #current: Window<Action, Result>;

  constructor(options: WindowsOptions<Action, Result>) {
    this.#options = options;
    this.#current = this.#next();
  }

  /** Judged or under way. */
  get count(): number {
    return this.#count;
  }

  get current(): Window<Action, Result> {
    return this.#current;
  }

  /** Closes one after the other, until the crew ends. The next one is not closed before this one is judged. */
  async run(): Promise<void> {
    const { crew, size, ms } = this.#options;
    const { ending } = crew;
    while (!ending.aborted && !crew.isOver) {
      const endMs = nowMs() + ms;
      while (!ending.aborted && nowMs() < endMs && this.#current.size < size) await sleep(250, ending);
      if (ending.aborted) return;
      const full = this.#current;
      this.#current = this.#next();
      await this.#close(full);
    }
  }

  /** Closes the last one. Nobody may begin anything any more. */
  async finish(): Promise<void> {
    await this.#close(this.#current);
  }

  async #close(window: Window<Action, Result>): Promise<void> {
    await window.settled();
    if (!this.#options.crew.isOver) await this.#options.close(window);
  }

  #next(): Window<Action, Result> {
    this.#count += 1;
    return new Window(this.#options.keysOf(this.#count), this.#options.crew.now);
  }
}

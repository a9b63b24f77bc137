import { within } from "../platform/time.ts";

/** Tells who waits that something has happened. */
export class Signal {
  #next = Promise.withResolvers<void>();

  fire(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Resolves to whether the condition holds, looking at it each time that something happens. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return true;
    const stop = new AbortController();
    const wait = async (): Promise<true> => {
      while (!condition() && !stop.signal.aborted) await this.#next.promise;
      return true;
    };
    const met = await within(wait(), timeoutMs);
    stop.abort();
    // Ends the loop.
    this.fire();
    return met === true || condition();
  }
}

import { DkvError } from "../platform/errors.ts";

/**
 * Bounds the memory of request bodies that have begun to arrive and are not complete, over all
 * connections: a limit for each request alone would allow its product with all streams of all clients.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Reserves; throws an `overloaded` DkvError, and reserves nothing, if that would pass the limit. */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.#maxBytes) {
      throw new DkvError(
        "overloaded",
        "too many large requests are arriving at once; this one was not applied: try again",
      );
    }
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

import { DkvError } from "../platform/errors.ts";

export interface BodyBudgetLimits {
  readonly maxBytes: number;
  /** What one connection may have of it, so that a single client cannot keep all others out. */
  readonly maxConnectionBytes: number;
}

/**
 * Bounds the memory of messages that have begun to arrive and are not complete, over all connections: a
 * limit for each request alone would allow its product with all streams of all clients.
 */
export class BodyBudget {
  readonly #limits: BodyBudgetLimits;
  readonly #usedByConnection = new Map<object, number>();
  #usedBytes = 0;

  constructor(limits: BodyBudgetLimits) {
    this.#limits = limits;
  }

  /** Reserves; throws an `overloaded` DkvError, and reserves nothing, if that would pass a limit. */
  take(connection: object, bytes: number): void {
    if (bytes === 0) return;
    const connectionBytes = (this.#usedByConnection.get(connection) ?? 0) + bytes;
    const { maxBytes, maxConnectionBytes } = this.#limits;
    if (this.#usedBytes + bytes > maxBytes || connectionBytes > maxConnectionBytes) {
      throw new DkvError(
        "overloaded",
        "too many large requests are arriving at once; this one was not applied: try again",
      );
    }
    this.#usedBytes += bytes;
    this.#usedByConnection.set(connection, connectionBytes);
  }

  release(connection: object, bytes: number): void {
    if (bytes === 0) return;
    this.#usedBytes -= bytes;
    const leftBytes = (this.#usedByConnection.get(connection) ?? 0) - bytes;
    if (leftBytes > 0) this.#usedByConnection.set(connection, leftBytes);
    else this.#usedByConnection.delete(connection);
  }
}

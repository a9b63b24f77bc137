import type { StreamCall, StreamClient } from "./stream-method.ts";

/** A stream that ends with an error: with its first message, or without one. */
export class RefusedCall implements StreamCall {
  readonly isFull = false;
  readonly #client: StreamClient;
  readonly #error: unknown;

  constructor(client: StreamClient, error: unknown) {
    this.#client = client;
    this.#error = error;
  }

  onMessage(): void {
    throw this.#error;
  }

  onPause(): void {}

  onEnd(): void {
    this.#client.end(this.#error);
  }

  onDrain(): void {}

  onAbort(): void {}
}

/** A stream that begins when it is known who has begun it. Until then what its client sends waits. */
import type { StreamCall, StreamClient } from "../stream-method.ts";

export class DeferredCall implements StreamCall {
  readonly #client: StreamClient;
  #call: StreamCall | undefined;
  #hasEnd = false;
  #hasFault = false;
  #isGone = false;

  /** @param opening does not reject */
  constructor(client: StreamClient, opening: Promise<() => StreamCall>) {
    this.#client = client;
    void opening.then((open) => {
      this.#begin(open);
    });
  }

  get isFull(): boolean {
    return this.#call?.isFull ?? true;
  }

  onMessage(message: Buffer): void {
    this.#call?.onMessage(message);
  }

  onPause(): void {
    this.#call?.onPause();
  }

  onEnd(): void {
    this.#hasEnd = true;
    this.#call?.onEnd();
  }

  /** Not told to one that ends by itself. */
  onFault(): void {
    this.#hasFault = true;
    if (this.#call === undefined) return;
    if (this.#call.onFault === undefined) this.#call.onEnd();
    else this.#call.onFault();
  }

  onDrain(): void {
    this.#call?.onDrain();
  }

  onAbort(): void {
    this.#isGone = true;
    this.#call?.onAbort();
  }

  #begin(open: () => StreamCall): void {
    if (this.#isGone) return;
    if (this.#hasFault) {
      this.#client.end();
      return;
    }
    this.#call = open();
    if (this.#hasEnd) this.#call.onEnd();
    else this.#client.resume();
  }
}

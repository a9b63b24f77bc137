/** Bytes of answers that wait for their clients, over all sessions of a server. */
export class Backlog {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether no more should be made to wait. */
  get isFull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  change(bytes: number): void {
    this.#bytes += bytes;
  }
}

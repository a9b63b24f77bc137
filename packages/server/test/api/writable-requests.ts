/** The requests of a stream, given one after the other while it runs. */
export class Requests<Message> implements AsyncIterable<Message> {
  readonly #queue: Message[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  send(...messages: readonly Message[]): void {
    this.#queue.push(...messages);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else if (this.#isOver) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

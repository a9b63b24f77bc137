/**
 * Room for answers that a client has not taken yet. Whoever reads values for it waits while there is none: a
 * thousand small questions can have a thousand large answers.
 */
export class AnswerRoom {
  readonly #maxBytes: number;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isOpen(): boolean {
    return this.#bytes < this.#maxBytes;
  }

  /** Ask again then: another one may have been faster. */
  whenOpen(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /**
   * Does something once there is room for its answer. Nobody knows before how large that is; so much is kept
   * for it meanwhile that not everybody gets in before the first answer is there.
   */
  async answer<Answer>(
    expectedBytes: number,
    work: () => Promise<Answer>,
    bytesOf: (answer: Answer) => number,
  ): Promise<Answer> {
    while (!this.isOpen) await this.whenOpen();
    this.take(expectedBytes);
    try {
      const answer = await work();
      this.take(bytesOf(answer));
      return answer;
    } finally {
      this.release(expectedBytes);
    }
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.isOpen || this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

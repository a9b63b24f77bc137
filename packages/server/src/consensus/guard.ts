/**
 * Runs what touches the consensus core or the disk. The first thing that fails ends everything: memory and
 * disk may then disagree, and only a restart settles it.
 */
export class Guard {
  readonly #onFailure: (error: unknown) => void;
  #hasFailed = false;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Does nothing once anything has failed. */
  run(work: () => void): void {
    if (this.#hasFailed) return;
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** As {@link run}, for work that somebody waits for. Throws what went wrong as well. */
  result<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Runs `work` once `done` has come true. Resolves after that, or when either has failed. */
  runAfter(done: Promise<void>, work: () => void): Promise<void> {
    return done.then(
      () => {
        this.run(work);
      },
      (error: unknown) => {
        this.fail(error);
      },
    );
  }

  /** Something else that cannot be gone on from has failed. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#onFailure(error);
  }
}

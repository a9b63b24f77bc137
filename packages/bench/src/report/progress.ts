import type { WriteStream } from "node:tty";
import { every, nowMs } from "../platform/clock.ts";

const refreshMs = 250;

/** Tells what is going on: one line that changes where a person watches, whole lines elsewhere. */
export class Progress {
  readonly #output: WriteStream;

  constructor(output: WriteStream) {
    this.#output = output;
  }

  /** Shows `what` and the time it has taken until `task` settles. */
  async during<Result>(what: string, task: Promise<Result>): Promise<Result> {
    if (!this.#output.isTTY) return await task;
    const startedMs = nowMs();
    const show = (): void => {
      const seconds = ((nowMs() - startedMs) / 1000).toFixed(0);
      this.#output.write(`\r\u001b[K${what} ... ${seconds} s`);
    };
    show();
    const stop = every(refreshMs, show);
    try {
      return await task;
    } finally {
      stop();
      this.#output.write("\r\u001b[K");
    }
  }

  line(text: string): void {
    this.#output.write(`${text}\n`);
  }
}

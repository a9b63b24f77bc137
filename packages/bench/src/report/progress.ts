import type { WriteStream } from "node:tty";
import { every, nowMs } from "../platform/clock.ts";

const refreshMs = 250;

/** Where no person watches, a line now and then shows that a long task goes on. */
const lineMs = 15_000;

/** Tells what is going on: one line that changes where a person watches, whole lines elsewhere. */
export class Progress {
  readonly #output: WriteStream;

  constructor(output: WriteStream) {
    this.#output = output;
  }

  /** Shows `what` and the time it has taken until `task` settles. */
  async during<Result>(what: string | (() => string), task: Promise<Result>): Promise<Result> {
    const startedMs = nowMs();
    const isWatched = this.#output.isTTY;
    const show = (): void => {
      const seconds = ((nowMs() - startedMs) / 1000).toFixed(0);
      const text = `${typeof what === "string" ? what : what()} ... ${seconds} s`;
      this.#output.write(isWatched ? `\r\u001b[K${text}` : `${text}\n`);
    };
    if (isWatched) show();
    const stop = every(isWatched ? refreshMs : lineMs, show);
    try {
      return await task;
    } finally {
      stop();
      if (isWatched) this.#output.write("\r\u001b[K");
    }
  }

  line(text: string): void {
    this.#output.write(`${text}\n`);
  }
}

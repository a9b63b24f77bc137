import { Worker } from "node:worker_threads";
import type { Outcome } from "./target.ts";
import { noMoreTasks, type Task, type ThreadData, type ThreadMessage } from "./thread.ts";

/** How a task ended. Of a thread that broke is known in which run. */
export type ThreadEnd =
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  | { readonly kind: "broken"; readonly why: string; readonly run: number };

export interface FuzzThreadOptions {
  readonly script: URL;
  readonly files: readonly string[];
  readonly after: (delayMs: number, callback: () => void) => () => void;
  /** So long no thread stays with one input. */
  readonly silenceMs: number;
}

/** JavaScript's own memory of a thread; targets answer for the rest. */
const heapMiB = 512;

/** A thread as seen from outside. After a broken end it is of no more use. */
export class FuzzThread {
  readonly #worker: Worker;
  readonly #options: FuzzThreadOptions;
  readonly #progress = new SharedArrayBuffer(4);
  readonly #counter = new Int32Array(this.#progress);
  #onMessage: (message: ThreadMessage) => void = () => undefined;
  #onBroken: (why: string) => void = () => undefined;

  constructor(options: FuzzThreadOptions) {
    this.#options = options;
    const workerData: ThreadData = { files: options.files, progress: this.#progress };
    this.#worker = new Worker(options.script, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    this.#worker.on("message", (message: ThreadMessage) => {
      this.#onMessage(message);
    });
    this.#worker.on("error", (error) => {
      this.#onBroken(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
    this.#worker.on("exit", (code) => {
      this.#onBroken(`its thread ended with code ${String(code)}`);
    });
  }

  /** Their names; why they cannot be loaded, as one text, if so. */
  targets(): Promise<readonly string[] | string> {
    return new Promise((resolve) => {
      this.#onMessage = (message) => {
        if (message.kind === "targets") resolve(message.names);
      };
      this.#onBroken = resolve;
    });
  }

  run(task: Task): Promise<ThreadEnd> {
    return new Promise((resolve) => {
      const finish = (end: ThreadEnd): void => {
        stopWatching();
        resolve(end);
      };
      this.#onMessage = (message) => {
        if (message.kind === "outcome") finish(message);
      };
      this.#onBroken = (why) => {
        finish({ kind: "broken", why, run: this.#run });
      };
      const stopWatching = this.#watch(() => {
        const seconds = String(this.#options.silenceMs / 1000);
        finish({ kind: "broken", why: `it has been at one input for ${seconds} s`, run: this.#run });
      });
      this.#worker.postMessage(task);
    });
  }

  /** Not while it runs something. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#onBroken = () => {
        resolve();
      };
      this.#worker.postMessage(noMoreTasks);
    });
  }

  /** Whatever it does. */
  async kill(): Promise<void> {
    this.#onBroken = () => undefined;
    await this.#worker.terminate();
  }

  get #run(): number {
    return Atomics.load(this.#counter, 0);
  }

  /** Calls back when the count of inputs stands still. */
  #watch(onSilence: () => void): () => void {
    let seen = this.#run;
    let cancel = (): void => undefined;
    const look = (): void => {
      const run = this.#run;
      if (run === seen) {
        onSilence();
        return;
      }
      seen = run;
      cancel = this.#options.after(this.#options.silenceMs, look);
    };
    cancel = this.#options.after(this.#options.silenceMs, look);
    return () => {
      cancel();
    };
  }
}

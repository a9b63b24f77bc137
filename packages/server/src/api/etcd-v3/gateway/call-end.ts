import { Code, ConnectError } from "@connectrpc/connect";
import type { Cancel, Clock } from "../../../platform/clock.ts";

export interface Endings {
  /** The client wants no answer any more. */
  readonly gone: AbortSignal;
  /** The member stops. */
  readonly shutdown: AbortSignal;
  /** Milliseconds that the client is willing to wait; undefined if it did not say. */
  readonly timeoutMs: number | undefined;
}

/** The end of a call that nobody waits for any more, with what is told of it. To be stopped. */
export class CallEnd {
  readonly #controller = new AbortController();
  readonly #endings: Endings;
  readonly #cancelTimeout: Cancel | undefined;
  readonly #onGone = (): void => {
    this.#controller.abort(new ConnectError("context canceled", Code.Canceled));
  };
  readonly #onShutdown = (): void => {
    this.#controller.abort(new ConnectError("the member is stopping: use another one", Code.Unavailable));
  };

  constructor(endings: Endings, clock: Clock) {
    this.#endings = endings;
    const { gone, shutdown, timeoutMs } = endings;
    gone.addEventListener("abort", this.#onGone);
    shutdown.addEventListener("abort", this.#onShutdown);
    if (gone.aborted) this.#onGone();
    if (shutdown.aborted) this.#onShutdown();
    this.#cancelTimeout =
      timeoutMs === undefined
        ? undefined
        : clock.after(timeoutMs, () => {
            this.#controller.abort(new ConnectError("context deadline exceeded", Code.DeadlineExceeded));
          });
  }

  /** Its reason is a ConnectError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves as the promise does, unless the end comes first. */
  orEnd<Result>(promise: Promise<Result>): Promise<Result> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        reject(ConnectError.from(signal.reason));
      };
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
      promise.then(resolve, reject).finally(() => {
        signal.removeEventListener("abort", end);
      });
    });
  }

  stop(): void {
    this.#cancelTimeout?.();
    this.#endings.gone.removeEventListener("abort", this.#onGone);
    this.#endings.shutdown.removeEventListener("abort", this.#onShutdown);
  }
}

import type { Connection } from "../http2/connection.ts";
import { type Dialled, dial, type Target } from "../http2/dial.ts";
import { sleep } from "../platform/clock.ts";

/** How long a lost connection rests before it is tried again. */
const restMs = 50;

/** A connection that is made again whenever it is lost, until it is closed. */
export class KeptConnection {
  readonly target: Target;
  readonly #stop: AbortSignal;
  #dialled: Dialled | undefined;

  private constructor(target: Target, stop: AbortSignal) {
    this.target = target;
    this.#stop = stop;
  }

  /** Rejects if the first connection cannot be made. Aborting ends it, and all calls that are open. */
  static async open(target: Target, stop: AbortSignal): Promise<KeptConnection> {
    const kept = new KeptConnection(target, stop);
    kept.#dialled = await dial(target, stop);
    void kept.#keep(kept.#dialled);
    return kept;
  }

  /** Undefined while there is none. */
  get live(): Connection | undefined {
    const connection = this.#dialled?.connection;
    return connection === undefined || connection.hasEnded ? undefined : connection;
  }

  /** Never rejects. */
  async #keep(first: Dialled): Promise<void> {
    await first.closed;
    while (!this.#stop.aborted) {
      await sleep(restMs);
      const dialled = await dial(this.target, this.#stop).catch(() => undefined);
      this.#dialled = dialled;
      await dialled?.closed;
    }
  }
}

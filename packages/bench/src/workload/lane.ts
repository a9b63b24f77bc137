import { type Dialled, dial, type Target } from "../http2/dial.ts";
import { nowMs, sleep } from "../platform/clock.ts";
import { type Job, LoopClient } from "./closed-loop.ts";

/** How long a client rests after an error, and a lost connection before it is tried again. */
const restMs = 50;

export interface LaneDeps {
  readonly target: Target;
  readonly job: Job;
  readonly clients: number;
  readonly stop: AbortSignal;
}

/** One connection and its clients, for one row. Losing it is an error for each of them; then it is remade. */
export class Lane {
  readonly #deps: LaneDeps;

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  /** Resolves when the row is over and no call is open; never rejects. */
  async run(first: Dialled): Promise<void> {
    let dialled: Dialled | undefined = first;
    for (;;) {
      if (dialled !== undefined) {
        await this.#runClients(dialled);
        dialled.close();
      }
      if (this.#isOver()) return;
      await sleep(restMs);
      dialled = await this.#redial();
    }
  }

  async #redial(): Promise<Dialled | undefined> {
    try {
      return await dial(this.#deps.target, this.#deps.stop);
    } catch {
      this.#deps.job.recorder.failed("reconnecting failed");
      return undefined;
    }
  }

  /** Resolves when every client has stopped, for the row is over or the connection is gone. */
  async #runClients({ connection }: Dialled): Promise<void> {
    const { job, clients } = this.#deps;
    const done = Promise.withResolvers<void>();
    let running = clients;
    const onStopped = (client: LoopClient): void => {
      if (!connection.hasEnded && !this.#isOver()) {
        void sleep(restMs).then(() => {
          client.start(nowMs());
          connection.flush();
        });
        return;
      }
      running -= 1;
      if (running === 0) done.resolve();
    };
    for (let client = 0; client < clients; client += 1) {
      new LoopClient(job, connection, onStopped).start(nowMs());
    }
    connection.flush();
    await done.promise;
  }

  #isOver(): boolean {
    return this.#deps.stop.aborted || this.#deps.job.recorder.isOver(nowMs());
  }
}

import type { Dialled } from "../http2/dial.ts";
import { nowMs, sleep } from "../platform/clock.ts";
import { type Job, LoopClient } from "./closed-loop.ts";
import { restMs } from "./lane.ts";
import { PipedClients } from "./piped-clients.ts";

export interface CallClients {
  readonly job: Job;
  readonly clients: number;
  readonly isOver: () => boolean;
}

/**
 * Clients of one connection, each with a call of its own open, or all on one stream. Resolves when every one
 * has stopped, for the row is over or the connection is gone.
 */
export async function runCalls({ connection }: Dialled, deps: CallClients): Promise<void> {
  const { job, clients, isOver } = deps;
  if (job.method.piped !== undefined) {
    await new PipedClients(job, connection, clients).run(isOver);
    return;
  }
  const done = Promise.withResolvers<void>();
  let running = clients;
  const onStopped = (client: LoopClient): void => {
    if (!connection.hasEnded && !isOver()) {
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

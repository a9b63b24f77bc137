import { requestHeaders } from "../../grpc/message.ts";
import { type Dialled, dial } from "../../http2/dial.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import { WatchCall, watchPath } from "./watch-call.ts";

/** What all of them watch. */
export const watchedPrefix = "watched/";

export interface Watching {
  readonly calls: readonly WatchCall[];
  readonly close: () => void;
}

/** Resolves when each of them has begun, or ended. */
export async function openWatches(plan: {
  readonly leader: LocalMember;
  readonly count: number;
  readonly connections: number;
  readonly onEvent: (writtenMs: number, toldMs: number) => void;
  readonly signal: AbortSignal;
}): Promise<Watching> {
  const { target } = plan.leader;
  const dialled: Dialled[] = [];
  const close = (): void => {
    for (const each of dialled) each.close();
  };
  try {
    for (let at = 0; at < plan.connections; at += 1) dialled.push(await dial(target, plan.signal));
    const headers = requestHeaders(target, watchPath);
    const begun = Promise.withResolvers<void>();
    let missing = plan.count;
    const onBegun = (): void => {
      missing -= 1;
      if (missing === 0) begun.resolve();
    };
    const calls = dialled.flatMap(({ connection }, at) => {
      const share = Math.floor(plan.count / plan.connections) + (at < plan.count % plan.connections ? 1 : 0);
      const { onEvent } = plan;
      return Array.from({ length: share }, () =>
        WatchCall.begin(watchedPrefix, { connection, headers, onBegun, onEvent }),
      );
    });
    for (const { connection } of dialled) connection.flush();
    await begun.promise;
    return { calls, close };
  } catch (error) {
    close();
    throw error;
  }
}

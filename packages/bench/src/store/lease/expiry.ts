import { requestHeaders } from "../../grpc/message.ts";
import { dial } from "../../http2/dial.ts";
import { nowMs, sleep } from "../../platform/clock.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { StoreDeps } from "../deps.ts";
import { askLoop, type LoopDelay } from "../probe/probe.ts";
import { WatchCall, watchPath } from "../watch/watch-call.ts";
import { leasedPrefix } from "./messages.ts";

const lookMs = 20;

/** Leases that nobody keeps alive any more. */
export interface Expiry {
  /** Keys whose end a watch was told. */
  readonly ended: number;
  /** From the last keep-alive until the first end, and until the last. */
  readonly firstSeconds: number;
  readonly seconds: number;
  readonly loop: LoopDelay;
}

/** Calls `leave`, which has the leases left alone, and waits until all have ended. */
export async function measureExpiry(
  leader: LocalMember,
  leave: () => Promise<void>,
  { options, progress, signal }: StoreDeps,
): Promise<Expiry> {
  const { target } = leader;
  const { connection, close } = await dial(target, signal);
  const begun = Promise.withResolvers<void>();
  const headers = requestHeaders(target, watchPath);
  const told: { firstMs?: number; lastMs?: number } = {};
  const onEvent = (_writtenMs: number, toldMs: number): void => {
    told.firstMs ??= toldMs;
    told.lastMs = toldMs;
  };
  try {
    const call = WatchCall.begin(leasedPrefix, { connection, headers, onBegun: begun.resolve, onEvent });
    connection.flush();
    await begun.promise;
    await leave();
    await askLoop(leader);
    const startedMs = nowMs();
    const latestMs = startedMs + options.patienceSeconds * 1000;
    const isOver = (): boolean =>
      call.events >= options.leases || call.ending !== undefined || nowMs() > latestMs;
    const ending = (async () => {
      while (!isOver()) await sleep(lookMs, signal);
    })();
    await progress.during(() => `leases: left alone, ${call.events} have ended`, ending);
    if (call.ending !== undefined) throw new Error(`a watch has ended: ${call.ending}`);
    const after = (atMs = startedMs): number => (atMs - startedMs) / 1000;
    return {
      ended: call.events,
      firstSeconds: after(told.firstMs),
      seconds: after(told.lastMs),
      loop: await askLoop(leader),
    };
  } finally {
    close();
  }
}

import { requestHeaders } from "../../grpc/message.ts";
import { type Dialled, dial } from "../../http2/dial.ts";
import { nowMs, sleep } from "../../platform/clock.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { RunningSystem, System } from "../../systems/system.ts";
import { Histogram } from "../../workload/histogram.ts";
import { UsageMeter } from "../../workload/usage-meter.ts";
import type { StoreDeps } from "../deps.ts";
import { StampedWriter } from "./stamped-writer.ts";
import { WatchCall, watchPath } from "./watch-call.ts";

const prefix = "watched/";

/** After the last write every watch is to have been told of it within so long. */
const lastEventMs = 10_000;
const lookMs = 20;

/** Many watches of one prefix under a load of writes. */
export interface DeliveryResult {
  readonly watches: number;
  readonly connections: number;
  readonly perSecond: number;
  /** Writes that were acknowledged, warm-up included. */
  readonly writes: number;
  /** What all watches together should have been told, and were. */
  readonly expected: number;
  readonly delivered: number;
  /** Events that came twice, or before an earlier one. */
  readonly misplaced: number;
  /** Why watches ended that should not have, and why writes failed. */
  readonly problems: readonly string[];
  /** From when a write was meant to be sent until a watch was told, after the warm-up: of so many events. */
  readonly measured: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Until the write was acknowledged, which is part of that. */
  readonly writeP99Ms: number;
  /** Cores that were busy after the warm-up: of all members, of the leader, of the bench. */
  readonly memberCores: number;
  readonly leaderCores: number;
  readonly benchCores: number;
}

export async function measureDelivery(
  system: System,
  running: RunningSystem,
  deps: StoreDeps,
): Promise<DeliveryResult> {
  const { options, progress, signal } = deps;
  const leader = await running.findLeader();
  const { target } = leader;
  const latencies = new Histogram();
  let fromMs = Number.POSITIVE_INFINITY;
  const onEvent = (writtenMs: number, toldMs: number): void => {
    if (writtenMs >= fromMs) latencies.record(toldMs - writtenMs);
  };
  const connections = Math.min(options.watches, options.watchConnections);
  const watching = openWatches({ leader, count: options.watches, connections, onEvent, signal });
  const { calls, close } = await progress.during(`watch: opening ${options.watches} watches`, watching);
  const own = await dial(target, signal);
  const meter = new UsageMeter({ members: running.members, idle: [] });
  try {
    const { connection } = own;
    const { watchRate: perSecond, valueBytes } = options;
    const { set } = system.methods(valueBytes);
    const writer = new StampedWriter({ connection, target, set, prefix, valueBytes, perSecond, signal });
    await progress.during("watch: warming up", sleep(options.warmupSeconds * 1000, signal));
    fromMs = nowMs();
    const writeLatencies = writer.latenciesFrom(fromMs);
    meter.start();
    await progress.during(`watch: ${perSecond} writes/s`, sleep(options.seconds * 1000, signal));
    meter.stop();
    await writer.stop();
    const expected = writer.acknowledged * calls.length;
    const delivered = (): number => calls.reduce((sum, { events }) => sum + events, 0);
    const latestMs = nowMs() + lastEventMs;
    while (delivered() < expected && nowMs() < latestMs) await sleep(lookMs, signal);
    const endings = calls.flatMap(({ ending }) => (ending === undefined ? [] : [ending]));
    return {
      watches: calls.length,
      connections,
      perSecond,
      writes: writer.acknowledged,
      expected,
      delivered: delivered(),
      misplaced: calls.reduce((sum, call) => sum + call.misplaced, 0),
      problems: [...new Set([...endings, ...Object.keys(writer.errors.byKind)])],
      measured: latencies.count,
      p50Ms: latencies.percentileMs(0.5),
      p99Ms: latencies.percentileMs(0.99),
      maxMs: latencies.maxMs,
      writeP99Ms: writeLatencies.percentileMs(0.99),
      ...coresOf(meter, leader, options.seconds),
    };
  } finally {
    meter.stop();
    own.close();
    close();
  }
}

interface Watching {
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
        WatchCall.begin(prefix, { connection, headers, onBegun, onEvent }),
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

function coresOf(
  { usage }: UsageMeter,
  leader: LocalMember,
  seconds: number,
): Pick<DeliveryResult, "memberCores" | "leaderCores" | "benchCores"> {
  const cores = (of: (name: string) => boolean): number =>
    usage.members.reduce((sum, { name, cpuSeconds = 0 }) => sum + (of(name) ? cpuSeconds : 0), 0) / seconds;
  return {
    memberCores: cores(() => true),
    leaderCores: cores((name) => name === leader.name),
    benchCores: usage.benchCpuSeconds / seconds,
  };
}

import { assert } from "../assert.ts";
import { StatusReader } from "../grpc/status.ts";
import { dial, type Target } from "../http2/dial.ts";
import { nowMs, sleep } from "../platform/clock.ts";
import { createJob } from "./closed-loop.ts";
import { Lane } from "./lane.ts";
import { Recorder } from "./recorder.ts";
import type { Data, Method } from "./work.ts";

/** How long open calls are waited for at the end; those without an answer by then are errors. */
const drainMs = 10_000;

export interface LoadOptions {
  readonly method: Method;
  readonly data: Data;
  /** Connections are spread over these evenly. */
  readonly targets: readonly Target[];
  readonly clients: number;
  readonly connections: number;
  readonly warmupMs: number;
  readonly measuredMs: number;
  /** Called when the warm-up ends, and when the measured time ends. */
  readonly onMeasuring: () => void;
  readonly onMeasured: () => void;
  readonly signal: AbortSignal;
}

/** The rule when nothing else is asked for: one connection for each sixteen clients, at most sixteen. */
export function usualConnections(clients: number): number {
  return Math.min(16, Math.ceil(clients / 16));
}

/**
 * Runs closed-loop clients for a warm-up and a measured time.
 *
 * Rejects if the first connections cannot be made or the signal aborts; what fails later is in the record.
 */
export async function runLoad(options: LoadOptions): Promise<Recorder> {
  const { connections, warmupMs, measuredMs } = options;
  const overdue = AbortSignal.timeout(warmupMs + measuredMs + drainMs);
  const stop = AbortSignal.any([options.signal, overdue]);
  const targets = Array.from({ length: connections }, (_, lane) => targetOf(options.targets, lane));
  const dialled = await Promise.all(targets.map((target) => dial(target, stop)));

  const fromMs = nowMs() + warmupMs;
  const recorder = new Recorder({ fromMs, untilMs: fromMs + measuredMs });
  const statuses = new StatusReader();
  const lanes = dialled.map((first, number) => {
    const target = targetOf(targets, number);
    const job = createJob(target, { method: options.method, data: options.data, statuses, recorder });
    const lane = new Lane({ target, job, clients: shareOf(number, options), stop });
    return lane.run(first);
  });
  await Promise.all([tellPhases(options), ...lanes]);
  return recorder;
}

async function tellPhases({ warmupMs, measuredMs, signal, ...tell }: LoadOptions): Promise<void> {
  await sleep(warmupMs, signal);
  tell.onMeasuring();
  await sleep(measuredMs, signal);
  tell.onMeasured();
}

function targetOf(targets: readonly Target[], lane: number): Target {
  const target = targets[lane % targets.length];
  assert(target !== undefined, "a load has a target");
  return target;
}

/** Clients are dealt to the connections one by one. */
function shareOf(lane: number, { clients, connections }: LoadOptions): number {
  return Math.floor(clients / connections) + (lane < clients % connections ? 1 : 0);
}

import { assert } from "../assert.ts";
import { StatusReader } from "../grpc/status.ts";
import { dial, type Target } from "../http2/dial.ts";
import { nowMs, sleep } from "../platform/clock.ts";
import { runCalls } from "./call-clients.ts";
import { createJob } from "./closed-loop.ts";
import { dialSocket } from "./dial-socket.ts";
import { runLane, type Session } from "./lane.ts";
import { Recorder } from "./recorder.ts";
import { SocketClients } from "./socket-clients.ts";
import type { SocketMethod } from "./socket-method.ts";
import type { Data, Method, WorkName } from "./work.ts";

/** How long open calls are waited for at the end; those without an answer by then are errors. */
const drainMs = 10_000;

export interface LoadOptions {
  readonly method: Method | SocketMethod;
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

/**
 * The rule when nothing else is asked for: one connection for each sixteen clients, at most sixteen; and one
 * if the clients share a stream.
 */
export function usualConnections(clients: number, method: Method | SocketMethod): number {
  return "piped" in method ? 1 : Math.min(16, Math.ceil(clients / 16));
}

/** Closed-loop clients of a work when nothing else is asked for. */
export function usualClients(work: WorkName): readonly number[] {
  switch (work) {
    case "txn":
      return [64];
    case "mixed":
    case "pipe":
      return [256];
    case "text":
    case "binary":
      return [1024];
    default:
      return [1, 64, 256, 1000];
  }
}

/**
 * Runs closed-loop clients for a warm-up and a measured time.
 *
 * Rejects if the first connections cannot be made or the signal aborts; what fails later is in the record.
 */
export async function runLoad(options: LoadOptions): Promise<Recorder> {
  const { warmupMs, measuredMs } = options;
  const overdue = AbortSignal.timeout(warmupMs + measuredMs + drainMs);
  const stop = AbortSignal.any([options.signal, overdue]);
  const prepared = await prepareLanes(options, stop);
  const fromMs = nowMs() + warmupMs;
  const recorder = new Recorder({ fromMs, untilMs: fromMs + measuredMs });
  const isOver = (): boolean => stop.aborted || recorder.isOver(nowMs());
  await Promise.all([tellPhases(options), ...prepared.map((run) => run({ recorder, isOver }))]);
  return recorder;
}

/** What begins with the row, and ends with it. */
interface Begun {
  readonly recorder: Recorder;
  readonly isOver: () => boolean;
}

type Lane = (begun: Begun) => Promise<void>;

/** Makes the connections; what they are put to use for waits until all of them are there. */
async function prepareLanes(options: LoadOptions, stop: AbortSignal): Promise<readonly Lane[]> {
  const { method, data } = options;
  const lane = async <Dialled extends Session>(
    dialOne: () => Promise<Dialled>,
    run: (dialled: Dialled, begun: Begun) => Promise<void>,
  ): Promise<Lane> => {
    const first = await dialOne();
    return (begun) =>
      runLane(first, {
        dial: dialOne,
        run: (dialled) => run(dialled, begun),
        isOver: begun.isOver,
        onFailure: (reason) => {
          begun.recorder.failed(reason);
        },
      });
  };
  const statuses = new StatusReader();
  return Promise.all(
    Array.from({ length: options.connections }, (_, number) => {
      const target = targetOf(options.targets, number);
      const clients = shareOf(number, options);
      if ("door" in method)
        return lane(
          () => dialSocket(target, stop),
          (dialled, begun) => new SocketClients({ method, data, nowMs, ...begun }, dialled, clients).run(),
        );
      return lane(
        () => dial(target, stop),
        (dialled, { recorder, isOver }) =>
          runCalls(dialled, {
            job: createJob(target, { method, data, statuses, recorder }),
            clients,
            isOver,
          }),
      );
    }),
  );
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

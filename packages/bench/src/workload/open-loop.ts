import type { Header } from "@dkv/http2";
import { BodyMeter, requestHeaders } from "../grpc/message.ts";
import { StatusReader } from "../grpc/status.ts";
import type { Call } from "../http2/call.ts";
import type { Connection } from "../http2/connection.ts";
import type { Target } from "../http2/dial.ts";
import { every, nowMs, sleep } from "../platform/clock.ts";
import { problemWith } from "./answer.ts";
import { KeptConnection } from "./kept-connection.ts";
import { Schedule } from "./schedule.ts";
import { type Data, type Method, RequestBody } from "./work.ts";

/** What became of one call. Times are on the clock that never goes back. */
export interface Outcome {
  /** When it was meant to be sent. It may have been sent later, and that wait is part of its latency. */
  readonly intendedMs: number;
  readonly sentMs: number;
  readonly endedMs: number;
  readonly target: Target;
  /** Undefined: it succeeded. */
  readonly problem: string | undefined;
}

export interface OpenLoopOptions {
  readonly method: Method;
  readonly data: Data;
  /** Calls go to these in turn. */
  readonly targets: readonly Target[];
  readonly connectionsPerTarget: number;
  readonly perSecond: number;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly signal: AbortSignal;
}

const tickMs = 1;

/** Calls open at the same time, at most. What is due beyond that waits, and its latency counts. */
const openMax = 4096;

/** How long open calls are waited for at the end; those without an answer by then are errors. */
const drainMs = 10_000;
const drainPollMs = 5;

interface Live {
  readonly turn: number;
  readonly target: Target;
  readonly connection: Connection;
}

/** Calls at a steady rate, however long the answers take. */
export class OpenLoop {
  readonly #options: OpenLoopOptions;
  readonly #connections: readonly KeptConnection[];
  readonly #destroy: AbortController;
  readonly #statuses = new StatusReader();
  readonly #body: RequestBody;
  readonly #schedule: Schedule;
  readonly #headers = new Map<Target, readonly Header[]>();
  readonly #stopTicking: () => void;
  #turn = 0;
  #open = 0;

  private constructor(
    options: OpenLoopOptions,
    connections: readonly KeptConnection[],
    destroy: AbortController,
  ) {
    this.#options = options;
    this.#connections = connections;
    this.#destroy = destroy;
    this.#body = new RequestBody(options.method, options.data);
    this.#schedule = new Schedule({ startMs: nowMs(), perSecond: options.perSecond });
    for (const target of options.targets)
      this.#headers.set(target, requestHeaders(target, options.method.path));
    this.#stopTicking = every(tickMs, () => {
      this.#sendDue();
    });
  }

  /** Connects and begins. Rejects if a connection cannot be made; one that is lost later is made again. */
  static async start(options: OpenLoopOptions): Promise<OpenLoop> {
    const destroy = new AbortController();
    const stop = AbortSignal.any([options.signal, destroy.signal]);
    const targets = Array.from({ length: options.connectionsPerTarget }, () => options.targets).flat();
    try {
      const connections = await Promise.all(targets.map((target) => KeptConnection.open(target, stop)));
      return new OpenLoop(options, connections, destroy);
    } catch (error) {
      destroy.abort();
      throw error;
    }
  }

  /** Sends nothing more, waits for what is open and closes the connections. */
  async stop(): Promise<void> {
    this.#stopTicking();
    const latestMs = nowMs() + drainMs;
    while (this.#open > 0 && nowMs() < latestMs && !this.#options.signal.aborted) await sleep(drainPollMs);
    this.#destroy.abort();
  }

  #sendDue(): void {
    const touched = new Set<Connection>();
    while (this.#open < openMax) {
      const kept = this.#nextLive();
      if (kept === undefined) break;
      const sentMs = nowMs();
      const intendedMs = this.#schedule.takeDue(sentMs);
      if (intendedMs === undefined) break;
      // Only now it is the next one's turn: nothing may have been due.
      this.#turn = kept.turn + 1;
      kept.connection.start(this.#makeCall(kept, { intendedMs, sentMs }));
      touched.add(kept.connection);
    }
    for (const connection of touched) connection.flush();
  }

  /** Whose turn it is, or comes next after those that are not connected. */
  #nextLive(): Live | undefined {
    const { length } = this.#connections;
    for (let turn = this.#turn; turn < this.#turn + length; turn += 1) {
      const kept = this.#connections[turn % length];
      if (kept?.live !== undefined) return { turn, target: kept.target, connection: kept.live };
    }
    return undefined;
  }

  #makeCall(
    { target, connection }: { readonly target: Target; readonly connection: Connection },
    times: Pick<Outcome, "intendedMs" | "sentMs">,
  ): Call {
    const { data, method, onOutcome } = this.#options;
    const meter = new BodyMeter();
    this.#open += 1;
    const ended = (endedMs: number, problem: string | undefined): void => {
      this.#open -= 1;
      onOutcome({ ...times, endedMs, target, problem });
    };
    return {
      headers: this.#headers.get(target) ?? [],
      bodyBytes: this.#body.bytes,
      writeBody: (output, offset) => {
        const key = data.keys[data.random.below(data.keys.length)];
        if (key !== undefined) this.#body.write(output, offset, key);
      },
      onData: (source, start, end) => {
        meter.accept(source, start, end);
      },
      onEnd: (source, start, end) => {
        const status = this.#statuses.read(source, start, end);
        ended(connection.receivedAtMs, problemWith(status, meter, method.leastAnswerBytes));
      },
      onFailure: (reason) => {
        ended(nowMs(), reason);
      },
    };
  }
}

import type { Header } from "@dkv/http2";
import { frameMessage, requestHeaders } from "../../grpc/message.ts";
import { StatusReader } from "../../grpc/status.ts";
import type { Connection } from "../../http2/connection.ts";
import type { Target } from "../../http2/dial.ts";
import { every, nowMs, sleep } from "../../platform/clock.ts";
import { ErrorKinds } from "../../workload/error-kinds.ts";
import { Histogram } from "../../workload/histogram.ts";
import { Schedule } from "../../workload/schedule.ts";
import type { Method } from "../../workload/work.ts";

/** Writes go to so many keys, in turn. */
const keys = 1000;

const tickMs = 1;
const drainMs = 10_000;
const drainPollMs = 5;

export interface StampedWriterDeps {
  readonly connection: Connection;
  readonly target: Target;
  readonly set: Method;
  readonly prefix: string;
  readonly valueBytes: number;
  readonly perSecond: number;
  readonly signal: AbortSignal;
}

/** Writes at a steady rate; a value begins with the moment at which it was meant to be sent. */
export class StampedWriter {
  readonly errors = new ErrorKinds();
  readonly #deps: StampedWriterDeps;
  readonly #headers: readonly Header[];
  readonly #schedule: Schedule;
  readonly #statuses = new StatusReader();
  readonly #latencies = new Histogram();
  readonly #stopTicking: () => void;
  #fromMs = Number.POSITIVE_INFINITY;
  #sent = 0;
  #open = 0;
  #acknowledged = 0;

  constructor(deps: StampedWriterDeps) {
    this.#deps = deps;
    this.#headers = requestHeaders(deps.target, deps.set.path);
    this.#schedule = new Schedule({ startMs: nowMs(), perSecond: deps.perSecond });
    this.#stopTicking = every(tickMs, () => {
      this.#sendDue();
    });
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Of the writes that were meant to be sent at this moment or later, which is to be told before. */
  latenciesFrom(fromMs: number): Histogram {
    this.#fromMs = fromMs;
    return this.#latencies;
  }

  /** Sends nothing more, and waits for what is open. */
  async stop(): Promise<void> {
    this.#stopTicking();
    const latestMs = nowMs() + drainMs;
    while (this.#open > 0 && nowMs() < latestMs && !this.#deps.signal.aborted) await sleep(drainPollMs);
  }

  #sendDue(): void {
    for (;;) {
      const intendedMs = this.#schedule.takeDue(nowMs());
      if (intendedMs === undefined) break;
      this.#send(intendedMs);
    }
    this.#deps.connection.flush();
  }

  #send(intendedMs: number): void {
    const { connection, set, prefix, valueBytes } = this.#deps;
    const value = Buffer.alloc(valueBytes, ".");
    value.writeDoubleBE(intendedMs);
    const body = frameMessage(set.encode(`${prefix}${this.#sent % keys}`, value));
    this.#sent += 1;
    this.#open += 1;
    connection.start({
      headers: this.#headers,
      bodyBytes: body.length,
      writeBody: (output, offset) => {
        output.set(body, offset);
      },
      onData: () => undefined,
      onEnd: (source, start, end) => {
        const { code, message } = this.#statuses.read(source, start, end);
        if (code === 0) this.#succeeded(intendedMs);
        else this.#failed(`gRPC status ${code ?? "missing"}: ${message}`);
      },
      onFailure: (reason) => {
        this.#failed(reason);
      },
    });
  }

  #succeeded(intendedMs: number): void {
    this.#open -= 1;
    this.#acknowledged += 1;
    if (intendedMs >= this.#fromMs) this.#latencies.record(this.#deps.connection.receivedAtMs - intendedMs);
  }

  #failed(reason: string): void {
    this.#open -= 1;
    this.errors.count(reason);
  }
}

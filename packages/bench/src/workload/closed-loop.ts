import type { Header } from "@dkv/http2";
import { BodyMeter, requestHeaders } from "../grpc/message.ts";
import type { StatusReader } from "../grpc/status.ts";
import type { Call } from "../http2/call.ts";
import type { Connection } from "../http2/connection.ts";
import type { Target } from "../http2/dial.ts";
import { problemWith } from "./answer.ts";
import type { Recorder } from "./recorder.ts";
import { type Data, type Method, RequestBody } from "./work.ts";

/** What the clients of one connection have in common. */
export interface Job {
  readonly method: Method;
  readonly data: Data;
  readonly headers: readonly Header[];
  readonly body: RequestBody;
  readonly statuses: StatusReader;
  readonly recorder: Recorder;
}

export function createJob(
  target: Target,
  parts: Pick<Job, "method" | "data" | "statuses" | "recorder">,
): Job {
  return {
    ...parts,
    headers: requestHeaders(target, parts.method.path),
    body: new RequestBody(parts.method, parts.data),
  };
}

/**
 * A client that always has one call open: as soon as one ends well, the next begins.
 *
 * After an error it stops and says so; whoever owns it decides when it goes on, so that a server in trouble
 * is not stormed.
 */
export class LoopClient implements Call {
  readonly headers: readonly Header[];
  readonly bodyBytes: number;
  readonly #job: Job;
  readonly #connection: Connection;
  readonly #onStopped: (client: LoopClient) => void;
  readonly #meter = new BodyMeter();
  #startedMs = 0;

  constructor(job: Job, connection: Connection, onStopped: (client: LoopClient) => void) {
    this.#job = job;
    this.#connection = connection;
    this.#onStopped = onStopped;
    this.headers = job.headers;
    this.bodyBytes = job.body.bytes;
  }

  start(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#meter.reset();
    this.#connection.start(this);
  }

  writeBody(target: Buffer, offset: number): void {
    const { body, data } = this.#job;
    const key = data.keys[data.random.below(data.keys.length)];
    if (key !== undefined) body.write(target, offset, key);
  }

  onData(source: Buffer, start: number, end: number): void {
    this.#meter.accept(source, start, end);
  }

  onEnd(source: Buffer, start: number, end: number): void {
    const { recorder, statuses } = this.#job;
    const { leastAnswerBytes } = this.#job.method;
    const problem = problemWith(statuses.read(source, start, end), this.#meter, leastAnswerBytes);
    if (problem !== undefined) {
      this.onFailure(problem);
      return;
    }
    const endedMs = this.#connection.receivedAtMs;
    recorder.succeeded(this.#startedMs, endedMs);
    if (recorder.isOver(endedMs)) this.#onStopped(this);
    else this.start(endedMs);
  }

  onFailure(reason: string): void {
    this.#job.recorder.failed(reason);
    this.#onStopped(this);
  }
}

import type { Header } from "@dkv/http2";
import { BodyMeter, requestHeaders, unframeMessage } from "../grpc/message.ts";
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
  /** Takes the place of one of so many calls. */
  readonly rare: { readonly job: Job; readonly outOf: number } | undefined;
}

export function createJob(
  target: Target,
  parts: Pick<Job, "method" | "data" | "statuses" | "recorder">,
): Job {
  const { rare, path } = parts.method;
  return {
    ...parts,
    headers: requestHeaders(target, path),
    body: new RequestBody(parts.method, parts.data),
    rare: rare && { job: createJob(target, { ...parts, method: rare.method }), outOf: rare.outOf },
  };
}

/**
 * A client that always has one call open: as soon as one ends well, the next begins.
 *
 * After an error it stops and says so; whoever owns it decides when it goes on, so that a server in trouble
 * is not stormed.
 */
export class LoopClient implements Call {
  readonly #usual: Job;
  /** Of the call that is open. */
  #job: Job;
  readonly #connection: Connection;
  readonly #onStopped: (client: LoopClient) => void;
  readonly #meter = new BodyMeter();
  /** Of the answer, if the method looks into it. */
  #parts: Buffer[] = [];
  #startedMs = 0;

  constructor(job: Job, connection: Connection, onStopped: (client: LoopClient) => void) {
    this.#usual = job;
    this.#job = job;
    this.#connection = connection;
    this.#onStopped = onStopped;
  }

  get headers(): readonly Header[] {
    return this.#job.headers;
  }

  get bodyBytes(): number {
    return this.#job.body.bytes;
  }

  start(nowMs: number): void {
    const { rare, data } = this.#usual;
    if (rare !== undefined) this.#job = data.random.below(rare.outOf) === 0 ? rare.job : this.#usual;
    this.#startedMs = nowMs;
    this.#meter.reset();
    this.#connection.start(this);
  }

  writeBody(target: Buffer, offset: number): void {
    const { body, data, method } = this.#job;
    body.write(target, offset, data.nextKey(method.setsOnce === true));
  }

  onData(source: Buffer, start: number, end: number): void {
    this.#meter.accept(source, start, end);
    if (this.#job.method.problemIn !== undefined) this.#parts.push(Buffer.from(source.subarray(start, end)));
  }

  onEnd(source: Buffer, start: number, end: number): void {
    const { recorder, statuses } = this.#job;
    const { leastAnswerBytes } = this.#job.method;
    const status = statuses.read(source, start, end);
    const problem = problemWith(status, this.#meter, leastAnswerBytes) ?? this.#problemInside();
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
    this.#parts = [];
    this.#job.recorder.failed(reason);
    this.#onStopped(this);
  }

  #problemInside(): string | undefined {
    const { problemIn } = this.#job.method;
    if (problemIn === undefined) return undefined;
    const message = unframeMessage(Buffer.concat(this.#parts));
    this.#parts = [];
    return problemIn(message);
  }
}

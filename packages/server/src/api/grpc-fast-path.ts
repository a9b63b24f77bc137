/**
 * A short way for the gRPC methods that make up nearly all traffic, unary ones and streams.
 *
 * Connect serves every protocol well, but most of its time goes to the layers of asynchronous generators
 * between the socket and the method. Calls a second on one core of a two-core virtual machine that had
 * other work besides, with Node 24.21: sets of 275 bytes on 10 connections of 20 streams from h2load, before
 * a member that answers at once.
 *
 *   Connect                        2,100 to   2,600
 *   this file, on Node's HTTP/2   14,000 to  19,000
 *   this file, on our own         48,000 to 105,000
 *
 * A single client, one call after the other, had 3,400 to 5,100 on Node's and 7,800 to 10,400 on ours.
 *
 * So gRPC requests for a hot method come here; whatever is unusual about a request sends it to Connect,
 * which serves the same methods by the same functions: JSON, compression, other HTTP methods, a deadline
 * that cannot be read. Both pass one contract suite.
 *
 * What makes it short: no promise or iterator stands between the socket and the method, a call is one object
 * without closures, a message that comes in one piece is not copied, and header blocks are encoded once.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Receiver, RequestHead, ServerStream } from "@dkv/http2";
import type { Cancel, Clock } from "../platform/clock.ts";
import { DkvError } from "../platform/errors.ts";
import { type Arriving, ArrivingMessage, prefixBytes } from "./arriving-message.ts";
import type { BodyBudget } from "./body-budget.ts";
import { type GrpcErrorBlocks, okHeaders, okTrailers } from "./grpc-status.ts";
import { GrpcStream } from "./grpc-stream.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";
import type { RequestFields } from "./request-fields.ts";
import type { StreamMethod } from "./stream-method.ts";
import type { UnaryMethod } from "./unary-method.ts";

export interface FastPathOptions {
  readonly methods: readonly UnaryMethod[];
  readonly streams: readonly StreamMethod[];
  /** Most bytes of one message. */
  readonly maxMessageBytes: number;
  /** What a client is told whose message is larger, unless the method has a limit of its own. */
  readonly tooLarge: () => Error;
  /** How long a client may take to send one message. */
  readonly bodyTimeoutMs: number;
}

export interface FastPathDeps {
  readonly clock: Clock;
  readonly errorBlocks: GrpcErrorBlocks;
  readonly budget: BodyBudget;
}

const sweepPeriodMs = 1000;

export class GrpcFastPath {
  readonly #options: FastPathOptions;
  readonly #deps: FastPathDeps;
  readonly #methods: ReadonlyMap<string, UnaryMethod>;
  readonly #streamMethods: ReadonlyMap<string, StreamMethod>;
  /** Calls whose message is not complete. */
  readonly #arriving = new Set<Arriving>();
  readonly #streams = new Set<GrpcStream>();
  readonly #surroundings: CallSurroundings;
  readonly #stopSweeping: Cancel;

  constructor(options: FastPathOptions, deps: FastPathDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#surroundings = { ...options, ...deps, arriving: this.#arriving };
    this.#methods = new Map(options.methods.map((method) => [method.path, method]));
    this.#streamMethods = new Map(options.streams.map((method) => [method.path, method]));
    this.#stopSweeping = deps.clock.every(sweepPeriodMs, () => {
      this.#sweep();
    });
  }

  /**
   * Takes the stream if it carries a plain call of a hot method. Decides by the head alone.
   *
   * @param connection the same object for all streams of one
   */
  accept(stream: ServerStream, connection: object): Receiver | undefined {
    const { head } = stream;
    const method = this.#methods.get(head.path);
    if (method === undefined) return this.#acceptStream(stream, connection);
    if (head.method !== "POST" || !isPlainGrpc(head)) return undefined;
    const timeout = head.fields.get("grpc-timeout");
    const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(timeout);
    if (timeout !== undefined && timeoutMs === undefined) return undefined;
    const terms = { method, timeoutMs, connection, startedMs: this.#deps.clock.nowMs() };
    return new Call(stream, terms, this.#surroundings);
  }

  /** Ends the supervision of slow clients, and streams. Calls that were accepted are still answered. */
  stop(): void {
    this.#stopSweeping();
    for (const stream of this.#streams) stream.finish(stopping());
  }

  /** A stream with a deadline is left to Connect: who wants many answers has no use for one. */
  #acceptStream(stream: ServerStream, connection: object): Receiver | undefined {
    const { head } = stream;
    const method = this.#streamMethods.get(head.path);
    if (method === undefined || head.method !== "POST" || !isPlainGrpc(head)) return undefined;
    if (head.fields.has("grpc-timeout")) return undefined;
    const surroundings = { ...this.#surroundings, streams: this.#streams, connection };
    return new GrpcStream(stream, method, surroundings);
  }

  /** Ends calls whose message takes too long to come. */
  #sweep(): void {
    const { bodyTimeoutMs } = this.#options;
    const oldestMs = this.#deps.clock.nowMs() - bodyTimeoutMs;
    for (const call of this.#arriving) {
      if (call.startedMs < oldestMs) call.giveUp(tooSlow(bodyTimeoutMs));
    }
  }
}

interface CallSurroundings extends FastPathOptions, FastPathDeps {
  readonly arriving: Set<Arriving>;
}

/** One call, from its header to its answer. */
class Call implements Receiver, Arriving, RequestFields {
  readonly startedMs: number;
  readonly connection: object;
  readonly #stream: ServerStream;
  readonly #method: UnaryMethod;
  readonly #timeoutMs: number | undefined;
  readonly #surroundings: CallSurroundings;
  /** What came of the message, if that was not all of it. */
  #message: ArrivingMessage | undefined;

  constructor(stream: ServerStream, terms: Terms, surroundings: CallSurroundings) {
    this.startedMs = terms.startedMs;
    this.#stream = stream;
    this.#method = terms.method;
    this.#timeoutMs = terms.timeoutMs;
    this.connection = terms.connection;
    this.#surroundings = surroundings;
    surroundings.arriving.add(this);
  }

  get(name: string): string | undefined {
    return this.#stream.head.fields.get(name);
  }

  onData(chunk: Buffer): void {
    this.#message ??= this.#newMessage();
    try {
      this.#message.append(chunk);
      this.#stream.release(chunk.length);
    } catch (error) {
      this.giveUp(error);
    }
  }

  onEnd(last: Buffer): void {
    let fault: unknown;
    let bytes = last;
    try {
      this.#message?.append(last);
      // Complete, it is not the budget's concern any more; the call may take long.
      bytes = this.#message?.take() ?? last;
      fault = envelopeFault(bytes);
    } catch (error) {
      fault = error;
    }
    this.#forget();
    if (fault !== undefined) {
      this.#refuse(fault);
      return;
    }
    this.#method.call(bytes.subarray(prefixBytes), this.#timeoutMs, this).then(
      (frame) => {
        const outcome = this.#stream.answer({ headers: okHeaders, body: frame, trailers: okTrailers });
        if (outcome === "overfull") this.#refuse(tooManyAnswers());
      },
      (error: unknown) => {
        this.#refuse(error);
      },
    );
  }

  /** A method that runs goes on: what it does may be done already. Its answer finds nobody. */
  onAbort(): void {
    this.#forget();
  }

  onDrain(): void {}

  /** Answers before the message is complete, which has the client stop sending it. */
  giveUp(error: unknown): void {
    this.#forget();
    this.#refuse(error);
  }

  #refuse(error: unknown): void {
    const told = this.#method.translate?.(error) ?? error;
    this.#stream.answerBriefly(this.#surroundings.errorBlocks.of(told));
  }

  #forget(): void {
    this.#surroundings.arriving.delete(this);
    this.#message?.take();
    this.#message = undefined;
  }

  #newMessage(): ArrivingMessage {
    const { maxMessageBytes, tooLarge: tooLargeForAll, budget } = this.#surroundings;
    const { maxBytes, tooLarge } = this.#method.limit ?? {
      maxBytes: maxMessageBytes,
      tooLarge: tooLargeForAll,
    };
    const limit = { maxBytes, hasPrefix: true, tooLarge };
    return new ArrivingMessage(limit, { budget, connection: this.connection });
  }
}

interface Terms {
  readonly method: UnaryMethod;
  readonly timeoutMs: number | undefined;
  readonly connection: object;
  readonly startedMs: number;
}

function tooSlow(timeoutMs: number): ConnectError {
  return new ConnectError(`the request did not arrive within ${String(timeoutMs)} ms`, Code.DeadlineExceeded);
}

function tooManyAnswers(): DkvError {
  return new DkvError(
    "outcomeUnknown",
    "the request was done, but too many answers wait for their clients to take them: read answers faster",
  );
}

function stopping(): ConnectError {
  return new ConnectError("the member is stopping: use another one", Code.Unavailable);
}

function isPlainGrpc({ fields }: RequestHead): boolean {
  const type = fields.get("content-type");
  const encoding = fields.get("grpc-encoding");
  return (
    (type === "application/grpc" || type === "application/grpc+proto") &&
    (encoding === undefined || encoding === "identity")
  );
}

/** Says what is wrong with the body of a unary call, in the words that Connect has for it. */
function envelopeFault(bytes: Buffer): ConnectError | undefined {
  if (bytes.length === 0) {
    return new ConnectError("protocol error: missing input message for unary method", Code.Unimplemented);
  }
  const end = bytes.length < prefixBytes ? Number.POSITIVE_INFINITY : prefixBytes + bytes.readUInt32BE(1);
  if (end > bytes.length)
    return new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
  if ((bytes.readUInt8(0) & 1) !== 0) {
    return new ConnectError("received compressed envelope, but do not know how to decompress", Code.Internal);
  }
  if (end < bytes.length) {
    return new ConnectError(
      "protocol error: received extra input message for unary method",
      Code.Unimplemented,
    );
  }
  return undefined;
}

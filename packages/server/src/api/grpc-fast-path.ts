/**
 * A short way for the unary gRPC methods that make up nearly all traffic.
 *
 * Connect serves every protocol well, but most of its time goes to the layers of asynchronous generators
 * between the socket and the method. Calls a second on one core of a two-core virtual machine that had
 * other work besides, with Node 24.21: sets of 275 bytes on 10 connections of 20 streams from h2load, before
 * a member that answers at once.
 *
 *   Connect                                2,100 to  2,600
 *   this file                             22,000 to 31,000
 *   a stream handler with a fixed answer  27,000 to 36,000, which is what Node's HTTP/2 can do
 *
 * So gRPC requests for a hot method come here; whatever is unusual about a request sends it to Connect,
 * which serves the same methods by the same functions: JSON, compression, other HTTP methods, a deadline
 * that cannot be read. Both pass one contract suite.
 *
 * What makes it short: no promise or iterator stands between a stream's events and the method, the
 * listeners are shared functions that find their call on the stream, and headers are built once.
 */
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  type ServerStreamResponseOptions,
} from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Logger } from "pino";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { GrpcErrorFields } from "./grpc-status.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";
import type { UnaryMethod } from "./unary-method.ts";

export interface FastPathOptions {
  readonly methods: readonly UnaryMethod[];
  /** Most bytes of one message. */
  readonly maxMessageBytes: number;
  /** What a client is told whose message is larger. */
  readonly tooLarge: () => Error;
  /** How long a client may take to send one message. */
  readonly bodyTimeoutMs: number;
}

export interface FastPathDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly errorFields: GrpcErrorFields;
  readonly budget: BodyBudget;
}

const prefixBytes = 5;
const sweepPeriodMs = 1000;

const okHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc+proto" };
const okTrailers: OutgoingHttpHeaders = { "grpc-status": "0" };
const okOptions = { waitForTrailers: true, sendDate: false };
const errorOptions = { endStream: true, sendDate: false };

const currentCall = Symbol("the unary call on this stream");
type CallStream = ServerHttp2Stream & { [currentCall]?: Call };

/** One call while its message arrives. */
interface Call {
  readonly path: GrpcFastPath;
  readonly method: UnaryMethod;
  readonly timeoutMs: number | undefined;
  readonly startedMs: number;
  /** Most messages are one chunk. */
  first: Buffer | undefined;
  rest: Buffer[] | undefined;
  bytes: number;
  /** Taken from the budget: only by messages of several chunks. */
  reservedBytes: number;
}

export class GrpcFastPath {
  readonly #options: FastPathOptions;
  readonly #deps: FastPathDeps;
  readonly #methods: ReadonlyMap<string, UnaryMethod>;
  /** Streams whose message is not complete. */
  readonly #arriving = new Set<CallStream>();
  readonly #stopSweeping: Cancel;

  constructor(options: FastPathOptions, deps: FastPathDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#methods = new Map(options.methods.map((method) => [method.path, method]));
    this.#stopSweeping = deps.clock.every(sweepPeriodMs, () => {
      this.#sweep();
    });
  }

  /** Takes the stream if it carries a plain call of a hot method. Decides by the headers alone. */
  accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const method = this.#methods.get(headers[":path"] ?? "");
    if (method === undefined || headers[":method"] !== "POST" || !isPlainGrpc(headers)) return false;
    const timeout = headers["grpc-timeout"];
    const timeoutMs = typeof timeout === "string" ? parseGrpcTimeout(timeout) : undefined;
    if (timeout !== undefined && timeoutMs === undefined) return false;

    const callStream: CallStream = stream;
    callStream[currentCall] = {
      path: this,
      method,
      timeoutMs,
      startedMs: this.#deps.clock.nowMs(),
      first: undefined,
      rest: undefined,
      bytes: 0,
      reservedBytes: 0,
    };
    this.#arriving.add(callStream);
    callStream.on("error", onError);
    callStream.on("data", onData);
    callStream.on("end", onEnd);
    callStream.on("wantTrailers", onWantTrailers);
    return true;
  }

  /** Ends the supervision of slow clients. Calls that were accepted are still answered. */
  stop(): void {
    this.#stopSweeping();
  }

  /** A part of the message has come. */
  receive(stream: CallStream, call: Call, chunk: Buffer): void {
    if (!this.#arriving.has(stream)) return;
    call.bytes += chunk.length;
    if (call.first === undefined) {
      call.first = chunk;
    } else {
      call.rest ??= [];
      call.rest.push(chunk);
    }
    if (!isComplete(call)) this.#hold(stream, call);
  }

  /** The client has sent all it wants to. */
  finish(stream: CallStream, call: Call): void {
    if (!this.#arriving.has(stream)) return;
    this.#forget(stream, call);
    const { first, rest } = call;
    // Chunks are released before the call, which may take long.
    call.first = undefined;
    call.rest = undefined;
    const bytes =
      rest === undefined || first === undefined ? first : Buffer.concat([first, ...rest], call.bytes);
    const fault = envelopeFault(bytes);
    if (bytes === undefined || fault !== undefined) {
      this.#refuse(stream, fault);
      return;
    }
    call.method.call(bytes.subarray(prefixBytes), call.timeoutMs).then(
      (frame) => {
        this.#answer(stream, frame);
      },
      (error: unknown) => {
        this.#refuse(stream, error);
      },
    );
  }

  #answer(stream: CallStream, frame: Buffer): void {
    // The client may have gone while the method ran; a response to nobody throws.
    if (stream.destroyed || stream.closed) return;
    this.#respond(stream, okHeaders, okOptions);
    stream.end(frame);
  }

  #refuse(stream: CallStream, error: unknown): void {
    const fields = this.#deps.errorFields.of(error);
    if (stream.destroyed || stream.closed) return;
    this.#respond(stream, { ...okHeaders, ...fields }, errorOptions);
  }

  /** Nothing awaits a call, so a failure to respond is settled here. */
  #respond(stream: CallStream, headers: OutgoingHttpHeaders, options: ServerStreamResponseOptions): void {
    try {
      stream.respond(headers, options);
    } catch (error) {
      this.#deps.logger.error({ err: error }, "a response could not be sent");
      stream.destroy();
    }
  }

  /** Checks what may be held in memory for a message of which more is to come. */
  #hold(stream: CallStream, call: Call): void {
    const { maxMessageBytes, tooLarge } = this.#options;
    try {
      if (declaredBytes(call) > maxMessageBytes || call.bytes > maxMessageBytes + prefixBytes)
        throw tooLarge();
      this.#deps.budget.take(call.bytes - call.reservedBytes);
      call.reservedBytes = call.bytes;
    } catch (error) {
      this.#giveUp(stream, call, error);
    }
  }

  /** Answers before the message is complete, and has the client stop sending it. */
  #giveUp(stream: CallStream, call: Call, error: unknown): void {
    this.#forget(stream, call);
    this.#refuse(stream, error);
    stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #forget(stream: CallStream, call: Call): void {
    this.#arriving.delete(stream);
    this.#deps.budget.release(call.reservedBytes);
    call.reservedBytes = 0;
  }

  /** Lets go of clients that have gone, and ends calls whose message takes too long to come. */
  #sweep(): void {
    const { bodyTimeoutMs } = this.#options;
    const oldestMs = this.#deps.clock.nowMs() - bodyTimeoutMs;
    for (const stream of this.#arriving) {
      const call = stream[currentCall];
      if (call === undefined) continue;
      if (stream.destroyed) {
        this.#forget(stream, call);
      } else if (call.startedMs < oldestMs) {
        this.#giveUp(stream, call, tooSlow(bodyTimeoutMs));
      }
    }
  }
}

function tooSlow(timeoutMs: number): ConnectError {
  return new ConnectError(`the request did not arrive within ${String(timeoutMs)} ms`, Code.DeadlineExceeded);
}

// A broken stream is not an event here: whoever answers looks whether it lives. Without a listener, the
// error would end the process.
function onError(this: CallStream): void {}

function onData(this: CallStream, chunk: Buffer): void {
  const call = this[currentCall];
  call?.path.receive(this, call, chunk);
}

function onEnd(this: CallStream): void {
  const call = this[currentCall];
  call?.path.finish(this, call);
}

function onWantTrailers(this: CallStream): void {
  if (!this.destroyed && !this.closed) this.sendTrailers(okTrailers);
}

function isPlainGrpc(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  const encoding = headers["grpc-encoding"];
  return (
    (type === "application/grpc" || type === "application/grpc+proto") &&
    (encoding === undefined || encoding === "identity")
  );
}

/** The length that the message's prefix promises; 0 while that has not arrived. */
function declaredBytes({ first }: Call): number {
  return first !== undefined && first.length >= prefixBytes ? first.readUInt32BE(1) : 0;
}

function isComplete(call: Call): boolean {
  return (
    call.bytes >= prefixBytes && call.rest === undefined && call.bytes === prefixBytes + declaredBytes(call)
  );
}

/** Says what is wrong with the body of a unary call, in the words that Connect has for it. */
function envelopeFault(bytes: Buffer | undefined): ConnectError | undefined {
  if (bytes === undefined || bytes.length === 0) {
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

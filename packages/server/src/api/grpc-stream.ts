/**
 * One stream of gRPC on the fast path: messages out of the bytes that come, back-pressure in both directions.
 *
 * Bytes are released, so that the client may send as many again, when the messages in them were taken. While
 * the method is full, they are held here: never more than the window of a stream.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Receiver, ServerStream } from "@dkv/http2";
import type { Clock } from "../platform/clock.ts";
import { type Arriving, ArrivingMessage, prefixBytes } from "./arriving-message.ts";
import type { BodyBudget } from "./body-budget.ts";
import { type GrpcErrorBlocks, okHeaders, okTrailers } from "./grpc-status.ts";
import type { StreamCall, StreamClient, StreamMethod } from "./stream-method.ts";
import type { SizeLimit } from "./unary-method.ts";

export interface StreamSurroundings {
  /** Most bytes of one message. */
  readonly maxMessageBytes: number;
  /** What a client is told whose message is larger. */
  readonly tooLarge: () => Error;
  readonly clock: Clock;
  readonly errorBlocks: GrpcErrorBlocks;
  readonly budget: BodyBudget;
  /** The same object for all streams of one. */
  readonly connection: object;
  /** Has it given up when its message does not come. */
  readonly arriving: Set<Arriving>;
  /** All that are open. */
  readonly streams: Set<GrpcStream>;
}

export class GrpcStream implements Receiver, StreamClient, Arriving {
  startedMs: number;
  readonly #stream: ServerStream;
  readonly #call: StreamCall;
  readonly #translate: StreamMethod["translate"];
  readonly #surroundings: StreamSurroundings;
  readonly #limit: SizeLimit;
  /** What came of a message, if that was not all of it. */
  readonly #message: ArrivingMessage;
  /** Whether there is only one message, whose time runs from the beginning. */
  readonly #awaitsRequest: boolean;
  /** What came while the method was full. */
  #held: Buffer[] = [];
  #hasBegun = false;
  #isSending = false;
  /** Whether the client has said that no more will come, and whether the method knows. */
  #hasEnd = false;
  #hasToldEnd = false;
  /** What the stream ends with once the method has nothing more to say. */
  #ending: unknown;
  #isOver = false;

  constructor(stream: ServerStream, method: StreamMethod, surroundings: StreamSurroundings) {
    const { maxMessageBytes, tooLarge, budget, connection } = surroundings;
    this.#stream = stream;
    this.#surroundings = surroundings;
    this.#limit = method.limit ?? { maxBytes: maxMessageBytes, tooLarge };
    this.#message = new ArrivingMessage({ ...this.#limit, hasPrefix: true }, { budget, connection });
    surroundings.streams.add(this);
    this.#translate = method.translate;
    this.#awaitsRequest = method.requests === "one";
    this.startedMs = surroundings.clock.nowMs();
    if (this.#awaitsRequest) surroundings.arriving.add(this);
    const { fields } = stream.head;
    this.#call = method.open(this, { get: (name) => fields.get(name), connection });
  }

  onData(chunk: Buffer): void {
    if (this.#hasToldEnd) this.#stream.release(chunk.length);
    else this.#take(chunk);
  }

  onEnd(last: Buffer): void {
    this.#hasEnd = true;
    if (!this.#hasToldEnd) this.#take(last);
  }

  onAbort(): void {
    this.#over();
    this.#call.onAbort();
  }

  onDrain(): void {
    // What leaves at once has nobody wait for it.
    if (!this.#isOver && !this.#isSending) this.#call.onDrain();
  }

  send(frames: Buffer): "sent" | "waits" {
    this.#isSending = true;
    if (!this.#hasBegun) this.#stream.begin(okHeaders);
    this.#hasBegun = true;
    const outcome = this.#stream.write(frames);
    this.#isSending = false;
    return outcome;
  }

  end(fault?: unknown): void {
    if (this.#isOver) return;
    this.#over();
    const ending = this.#ending ?? fault;
    const error = ending === undefined ? undefined : (this.#translate?.(ending) ?? ending);
    const { errorBlocks } = this.#surroundings;
    if (error !== undefined && !this.#hasBegun) {
      this.#stream.answerBriefly(errorBlocks.of(error));
      return;
    }
    if (!this.#hasBegun) this.#stream.begin(okHeaders);
    this.#stream.end(error === undefined ? okTrailers : errorBlocks.trailersOf(error));
  }

  resume(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    this.startedMs = this.#surroundings.clock.nowMs();
    for (const chunk of held) this.#read(chunk);
    this.#afterReading();
  }

  /** Takes no more. What was taken is answered, then the stream ends with the error. */
  finish(error: unknown): void {
    const goesOn = this.#call.onFault !== undefined;
    if (this.#isOver || (this.#hasToldEnd && !goesOn)) return;
    this.#ending = error;
    this.#takeNoMore();
    if (goesOn) this.#call.onFault?.();
    else this.#call.onEnd();
  }

  giveUp(error: unknown): void {
    this.finish(error);
  }

  #take(chunk: Buffer): void {
    this.#read(chunk);
    this.#afterReading();
  }

  #read(chunk: Buffer): void {
    let rest = chunk;
    try {
      while (rest.length > 0 && !this.#isStopped) {
        rest = this.#message.length === 0 ? this.#readWhole(rest) : this.#readPart(rest);
      }
    } catch (error) {
      this.finish(error);
    }
    if (rest.length > 0 && !this.#hasToldEnd) this.#held.push(rest);
    const taken = this.#hasToldEnd ? chunk.length : chunk.length - rest.length;
    if (taken > 0) this.#stream.release(taken);
  }

  /** Whether what comes has to wait, or comes in vain. */
  get #isStopped(): boolean {
    return this.#isOver || this.#hasToldEnd || this.#held.length > 0 || this.#call.isFull;
  }

  /** A message that has come in one piece is read where it is. Returns what is behind it. */
  #readWhole(bytes: Buffer): Buffer {
    const end = bytes.length < prefixBytes ? Number.POSITIVE_INFINITY : prefixBytes + bytes.readUInt32BE(1);
    if (end > bytes.length) return this.#readPart(bytes);
    const { maxBytes, tooLarge } = this.#limit;
    if (end > prefixBytes + maxBytes) throw tooLarge(end - prefixBytes);
    this.#give(bytes.subarray(0, end));
    return bytes.subarray(end);
  }

  #readPart(bytes: Buffer): Buffer {
    const { arriving, clock } = this.#surroundings;
    if (this.#message.length === 0 && !this.#awaitsRequest) this.startedMs = clock.nowMs();
    const piece = bytes.subarray(0, this.#message.missingBytes);
    this.#message.append(piece);
    if (this.#message.missingBytes === 0) this.#give(this.#message.take());
    if (this.#message.length > 0 || this.#awaitsRequest) arriving.add(this);
    else arriving.delete(this);
    return bytes.subarray(piece.length);
  }

  #give(frame: Buffer): void {
    if ((frame.readUInt8(0) & 1) !== 0)
      throw new ConnectError(
        "received compressed envelope, but do not know how to decompress",
        Code.Internal,
      );
    this.#call.onMessage(frame.subarray(prefixBytes));
  }

  #afterReading(): void {
    if (this.#isOver || this.#hasToldEnd) return;
    this.#call.onPause();
    // What is held comes later, for no fault of the client's.
    if (this.#held.length > 0) this.#surroundings.arriving.delete(this);
    else if (this.#hasEnd) this.#endRequests();
  }

  #endRequests(): void {
    if (this.#message.length > 0) {
      this.finish(new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument));
      return;
    }
    this.#takeNoMore();
    this.#call.onEnd();
  }

  #takeNoMore(): void {
    this.#hasToldEnd = true;
    this.#held = [];
    this.#surroundings.arriving.delete(this);
    this.#message.take();
  }

  #over(): void {
    this.#isOver = true;
    this.#takeNoMore();
    this.#surroundings.streams.delete(this);
  }
}

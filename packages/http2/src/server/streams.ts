import { ConnectionError } from "../connection-error.ts";
import type { Frame } from "../frame-reader.ts";
import {
  type ErrorCode,
  errorCode,
  frameFlag,
  initialSettings,
  resetFrame,
  windowUpdateFrame,
} from "../frames.ts";
import type { DecodedBlock } from "../hpack/decoder.ts";
import { encodeHeaderBlock } from "../hpack/encoder.ts";
import type { Allowance } from "./abuse.ts";
import type { Backlog } from "./backlog.ts";
import { ReceiveWindow } from "./flow-control.ts";
import type { HeaderBlock } from "./header-blocks.ts";
import { type Malformed, type RequestHead, trailersFault } from "./header-rules.ts";
import { type SessionLimits, tinyIncrement } from "./limits.ts";
import { Lingering } from "./lingering.ts";
import type { Sender } from "./sender.ts";
import { type Answer, type Part, type RequestHandler, Stream, type StreamOwner } from "./stream.ts";

export interface StreamsDeps {
  readonly limits: SessionLimits;
  readonly handler: RequestHandler;
  readonly resets: Allowance;
  readonly noise: Allowance;
  readonly backlog: Backlog;
  /** A stream has ended, in whatever way. */
  readonly onClosed: () => void;
}

/** Streams that we ended while the client may still be sending on them. */
const maxRememberedResets = 1024;
const nothing = Buffer.alloc(0);
const headersTooLarge = encodeHeaderBlock([[":status", "431"]]);

/** The requests of one session that are not answered yet, and the rules for what may happen to them. */
export class Streams implements StreamOwner {
  readonly #sender: Sender;
  readonly #deps: StreamsDeps;
  readonly #streams = new Map<number, Stream>();
  /** What still arrives for these is nobody's fault. */
  readonly #resetByUs = new Set<number>();
  readonly #lingering = new Lingering((id) => {
    this.#reset(id, errorCode.none);
  });
  readonly #window: ReceiveWindow;
  #sendWindowBytes: number = initialSettings.windowBytes;
  #lastId = 0;
  #refusesNew = false;

  constructor(sender: Sender, deps: StreamsDeps) {
    this.#sender = sender;
    this.#deps = deps;
    this.#window = new ReceiveWindow(deps.limits.connectionWindowBytes);
  }

  get count(): number {
    return this.#streams.size;
  }

  /** The newest stream that was looked at. */
  get lastId(): number {
    return this.#lastId;
  }

  isNew(id: number): boolean {
    return id > this.#lastId;
  }

  refuseNew(): void {
    this.#refusesNew = true;
  }

  onRequest({ streamId, endsStream }: HeaderBlock, request: RequestHead | Malformed | "tooLarge"): void {
    if (this.#refusesNew) {
      // The number stays that of GOAWAY: the client knows that nothing was done.
      this.#deps.resets.spend();
      this.#reset(streamId, errorCode.refusedStream);
      return;
    }
    this.#lastId = streamId;
    const { limits, handler } = this.#deps;
    if (this.#streams.size >= limits.maxConcurrentStreams) {
      this.fault(streamId, errorCode.refusedStream);
      return;
    }
    if (this.isOverfull) {
      // Not the request is at fault: nothing was done, and clients may send it again.
      this.#deps.noise.spend();
      this.#reset(streamId, errorCode.refusedStream);
      return;
    }
    if (request !== "tooLarge" && "malformed" in request) {
      this.fault(streamId, errorCode.protocol);
      return;
    }
    const stream = new Stream(streamId, request === "tooLarge" ? noHead : request, {
      sendWindowBytes: this.#sendWindowBytes,
      receiveWindowBytes: limits.streamWindowBytes,
      owner: this,
    });
    this.#streams.set(streamId, stream);
    stream.isRemoteOpen = !endsStream;
    if (request === "tooLarge") {
      this.#deps.resets.spend();
      stream.answerBriefly(headersTooLarge);
      return;
    }
    if (endsStream && !isWhole(stream)) {
      this.fault(streamId, errorCode.protocol);
      return;
    }
    stream.receiver = handler(stream);
    if (endsStream) this.#finish(stream, nothing);
  }

  onTrailers({ streamId, endsStream }: HeaderBlock, { headers, isTooLarge }: DecodedBlock): void {
    if (endsStream && this.#lingering.delete(streamId)) return;
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#resetByUs.has(streamId)) {
        this.#deps.noise.spend();
        return;
      }
      throw new ConnectionError(errorCode.streamClosed, "header fields on a stream that was closed");
    }
    if (!stream.isRemoteOpen) {
      this.fault(streamId, errorCode.streamClosed);
    } else if (!endsStream || isTooLarge || trailersFault(headers) !== undefined || !isWhole(stream)) {
      this.fault(streamId, errorCode.protocol);
    } else {
      this.#finish(stream, nothing);
    }
  }

  onData({ streamId, flags, source, start, end, payloadBytes }: Frame): void {
    if (!this.#window.take(payloadBytes)) {
      throw new ConnectionError(errorCode.flowControl, "more bytes than the connection's window");
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      this.#mustNotBeIdle(streamId);
      this.#releaseConnection(payloadBytes);
      if (payloadBytes === 0) this.#deps.noise.spend();
      if (this.#lingering.has(streamId)) {
        this.#drop(streamId, payloadBytes, (flags & frameFlag.endStream) !== 0);
        return;
      }
      if (!this.#resetByUs.has(streamId) && !this.isNew(streamId))
        this.fault(streamId, errorCode.streamClosed);
      return;
    }
    const bytes = end - start;
    stream.heldBytes += payloadBytes;
    stream.receivedBytes += bytes;
    if (!stream.isRemoteOpen) {
      this.fault(streamId, errorCode.streamClosed);
      return;
    }
    if (!stream.receiveWindow.take(payloadBytes)) {
      this.fault(streamId, errorCode.flowControl);
      return;
    }
    if (payloadBytes > bytes) this.release(stream, payloadBytes - bytes);
    const isLast = (flags & frameFlag.endStream) !== 0;
    if (isLast ? !isWhole(stream) : stream.receivedBytes > (stream.head.contentLength ?? Infinity)) {
      this.fault(streamId, errorCode.protocol);
      return;
    }
    const chunk = source.subarray(start, end);
    if (isLast) {
      this.#finish(stream, chunk);
      return;
    }
    if (bytes === 0) this.#deps.noise.spend();
    else if (stream.isAnswered) this.release(stream, bytes);
    else stream.receiver?.onData(chunk);
  }

  /** The client gives up. */
  onReset(id: number): void {
    this.#mustNotBeIdle(id);
    this.#deps.resets.spend();
    this.#lingering.delete(id);
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#abort(stream);
  }

  onWindowUpdate(id: number, bytes: number): void {
    if (bytes < tinyIncrement) this.#deps.noise.spend();
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#mustNotBeIdle(id);
    } else if (bytes === 0) {
      this.fault(id, errorCode.protocol);
    } else if (!stream.sendWindow.grow(bytes)) {
      this.fault(id, errorCode.flowControl);
    } else {
      this.#sender.onStreamWindow(stream);
    }
  }

  /** Applies to streams that are open too, whose windows may become negative. Source: RFC 9113 §6.9.2. */
  setSendWindow(bytes: number): void {
    const change = bytes - this.#sendWindowBytes;
    this.#sendWindowBytes = bytes;
    for (const stream of this.#streams.values()) {
      if (!stream.sendWindow.grow(change)) {
        throw new ConnectionError(errorCode.flowControl, "a window of more than 2^31-1 bytes");
      }
      this.#sender.onStreamWindow(stream);
    }
  }

  /** Ends a stream on which the client broke a rule, or that it may not have. */
  fault(id: number, code: ErrorCode): void {
    this.#deps.resets.spend();
    this.#reset(id, code);
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#abort(stream);
  }

  /** The end of the answer was sent. */
  onAnswered(stream: Stream): void {
    this.#close(stream);
    if (stream.isRemoteOpen) this.#lingering.add(stream.id, stream.receiveWindow);
  }

  /** Gives up the answers that wait: their client takes nothing of them. */
  turnAwayWaiting(): void {
    for (const stream of this.#streams.values()) {
      if (stream.pending !== undefined && stream.pending.length > 0) this.#turnAway(stream);
    }
  }

  /** The connection is gone, and with it all streams. */
  abandon(): void {
    for (const stream of this.#streams.values()) this.#abort(stream);
  }

  /** The client, or all of them, ask for more than they take. */
  get isOverfull(): boolean {
    return this.#sender.queuedBytes > this.#deps.limits.maxQueuedBytes || this.#deps.backlog.isFull;
  }

  answer(stream: Stream, answer: Answer): void {
    this.#sender.answer(stream, answer);
  }

  queue(stream: Stream, part: Part): void {
    if (part.kind === "data" && this.isOverfull) this.#turnAway(stream);
    else this.#sender.queue(stream, part);
  }

  cancel(stream: Stream): void {
    this.#reset(stream.id, errorCode.cancel);
    this.#close(stream);
  }

  release(stream: Stream, bytes: number): void {
    stream.heldBytes -= bytes;
    this.#releaseConnection(bytes);
    const increment = stream.receiveWindow.release(bytes);
    if (increment > 0 && stream.isRemoteOpen) this.#sender.control(windowUpdateFrame(stream.id, increment));
  }

  #drop(id: number, bytes: number, isLast: boolean): void {
    const increment = this.#lingering.drop(id, bytes);
    if (isLast) this.#lingering.delete(id);
    else if (increment > 0) this.#sender.control(windowUpdateFrame(id, increment));
  }

  #releaseConnection(bytes: number): void {
    const increment = this.#window.release(bytes);
    if (increment > 0) this.#sender.control(windowUpdateFrame(0, increment));
  }

  /** The client asks for more than it takes. */
  #turnAway(stream: Stream): void {
    this.#reset(stream.id, errorCode.enhanceYourCalm);
    this.#abort(stream);
  }

  #finish(stream: Stream, last: Buffer): void {
    stream.isRemoteOpen = false;
    if (stream.isOpen) stream.receiver?.onEnd(last);
  }

  #abort(stream: Stream): void {
    this.#close(stream);
    if (!stream.isAnswered) stream.receiver?.onAbort();
  }

  #close(stream: Stream): void {
    stream.isClosed = true;
    this.#streams.delete(stream.id);
    this.#sender.forget(stream);
    if (stream.heldBytes > 0) this.#releaseConnection(stream.heldBytes);
    stream.heldBytes = 0;
    this.#deps.onClosed();
  }

  #reset(id: number, code: ErrorCode): void {
    this.#sender.control(resetFrame(id, code));
    this.#resetByUs.add(id);
    if (this.#resetByUs.size <= maxRememberedResets) return;
    for (const oldest of this.#resetByUs) {
      this.#resetByUs.delete(oldest);
      break;
    }
  }

  #mustNotBeIdle(id: number): void {
    // Those that were refused since we began to leave are too many to be remembered.
    if (id === 0 || (this.isNew(id) && !this.#refusesNew)) {
      throw new ConnectionError(errorCode.protocol, "a frame of a stream that was never opened");
    }
  }
}

/** Whether as much of the body has come as the header promised. */
function isWhole({ head, receivedBytes }: Stream): boolean {
  return head.contentLength === undefined || head.contentLength === receivedBytes;
}

/** In place of a head that was too large to be read. */
const noHead: RequestHead = {
  method: "",
  scheme: "",
  path: "",
  authority: undefined,
  fields: new Map(),
  contentLength: undefined,
};

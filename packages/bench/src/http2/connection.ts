import {
  type Frame,
  FrameReader,
  frame,
  frameFlag,
  frameHeadBytes,
  frameType,
  HeaderEncoder,
  initialSettings,
  largestWindowBytes,
  Output,
  preface,
  setting,
  settingsFrame,
  windowUpdateFrame,
  writeFrameHead,
} from "@dkv/http2";
import { assert } from "../assert.ts";
import type { Call, StreamedCall } from "./call.ts";
import { Upload } from "./upload.ts";

/** How much of an answer the peer may send unasked: more than any answer this client wants. */
const streamWindowBytes = 4 * 1024 * 1024;
const connectionWindowBytes = 2 ** 30;
const lastStreamId = 2 ** 31 - 1;
const empty = Buffer.alloc(0);

export interface ConnectionDeps {
  readonly write: (bytes: Buffer) => void;
  /** Called once, when the peer's settings are known. */
  readonly onReady: () => void;
  readonly nowMs: () => number;
}

/**
 * The client's side of one HTTP/2 connection, for requests of one small DATA frame, and for streams.
 *
 * Requests that the peer's limits (streams, window) do not admit yet wait in the order in which they came.
 * Knows nothing of sockets: bytes go in by {@link accept} and out by `deps.write`.
 */
export class Connection {
  readonly #deps: ConnectionDeps;
  readonly #output: Output;
  readonly #reader = new FrameReader((arrived) => {
    this.#onFrame(arrived);
  });
  readonly #encoder = new HeaderEncoder();
  readonly #calls = new Map<number, StreamedCall>();
  readonly #uploads = new Map<number, Upload>();
  readonly #waiting: Call[] = [];
  #nextStreamId = 1;
  #streamsMax = Number.POSITIVE_INFINITY;
  #streamWindow: number = initialSettings.windowBytes;
  #sendWindow: number = initialSettings.windowBytes;
  #receivedBytes = 0;
  #isReady = false;
  /** Why nothing more may be started, once that is so. */
  #ended: string | undefined;
  /** A header block whose CONTINUATION is still to come. */
  #openBlock: { readonly flags: number; bytes: Buffer } | undefined;
  #receivedAtMs = 0;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
    this.#output = new Output(deps.write);
    this.#output.append(preface);
    this.#output.append(
      settingsFrame([
        [setting.headerTableSize, 0],
        [setting.enablePush, 0],
        [setting.initialWindowSize, streamWindowBytes],
      ]),
    );
    this.#output.append(windowUpdateFrame(0, connectionWindowBytes - initialSettings.windowBytes));
    this.#output.flush();
  }

  /** When the bytes now being handled arrived: a call that ends in this turn ended then. */
  get receivedAtMs(): number {
    return this.#receivedAtMs;
  }

  /** Whether every further {@link start} fails at once. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Puts a request into the output; {@link flush} sends it, as does the end of {@link accept}. */
  start(call: Call): void {
    if (this.#ended !== undefined) {
      call.onFailure(this.#ended);
      return;
    }
    assert(call.bodyBytes <= initialSettings.frameBytes, "a request fits one frame");
    if (this.#waiting.length > 0 || !this.#mayStart(call)) {
      this.#waiting.push(call);
      return;
    }
    this.#send(call);
  }

  /**
   * Begins a request whose body goes out piece by piece, and whose answer may be of any length. Only on a
   * connection that is ready. Throws if it has ended.
   */
  open(call: StreamedCall): Upload {
    if (this.#ended !== undefined) throw new Error(this.#ended);
    assert(this.#isReady && this.#calls.size < this.#streamsMax, "the peer takes one stream more");
    const streamId = this.#takeStreamId(call);
    const block = this.#encoder.encode(call.headers);
    this.#output.append(
      frame({ type: frameType.headers, flags: frameFlag.endHeaders, streamId }, Buffer.from(block)),
    );
    const upload = new Upload({
      streamId,
      output: this.#output,
      windowBytes: this.#streamWindow,
      receiveWindowBytes: streamWindowBytes,
      takeWindow: (bytes) => {
        if (bytes > this.#sendWindow) return false;
        this.#sendWindow -= bytes;
        return true;
      },
    });
    this.#uploads.set(streamId, upload);
    return upload;
  }

  flush(): void {
    this.#output.flush();
  }

  /** Takes what arrived. Throws when the peer breaks the protocol; the caller then ends the connection. */
  accept(chunk: Buffer): void {
    this.#receivedAtMs = this.#deps.nowMs();
    this.#reader.accept(chunk);
    this.#startWaiting();
    this.#output.flush();
  }

  /** Says goodbye to the peer. The caller closes the socket. */
  sayGoodbye(): void {
    this.#output.append(frame({ type: frameType.goAway, flags: 0, streamId: 0 }, Buffer.alloc(8)));
    this.#output.flush();
  }

  /** Nothing will come any more: fails every call that has no answer yet. */
  end(reason: string): void {
    this.#ended ??= reason;
    const unanswered = [...this.#calls.values(), ...this.#waiting.splice(0)];
    this.#calls.clear();
    this.#uploads.clear();
    for (const call of unanswered) call.onFailure(reason);
  }

  #mayStart(call: Call): boolean {
    return (
      this.#isReady &&
      this.#calls.size < this.#streamsMax &&
      call.bodyBytes <= Math.min(this.#sendWindow, this.#streamWindow)
    );
  }

  #startWaiting(): void {
    for (let call = this.#waiting[0]; call !== undefined && this.#mayStart(call); call = this.#waiting[0]) {
      this.#waiting.shift();
      this.#send(call);
    }
  }

  #send(call: Call): void {
    const streamId = this.#takeStreamId(call);
    this.#sendWindow -= call.bodyBytes;

    const block = this.#encoder.encode(call.headers);
    let offset = this.#output.reserve(2 * frameHeadBytes + block.length + call.bodyBytes);
    const { target } = this.#output;
    offset = writeFrameHead(target, offset, {
      type: frameType.headers,
      flags: frameFlag.endHeaders,
      streamId,
      payloadBytes: block.length,
    });
    target.set(block, offset);
    offset = writeFrameHead(target, offset + block.length, {
      type: frameType.data,
      flags: frameFlag.endStream,
      streamId,
      payloadBytes: call.bodyBytes,
    });
    call.writeBody(target, offset);
  }

  #takeStreamId(call: StreamedCall): number {
    const streamId = this.#nextStreamId;
    assert(streamId < lastStreamId, "a connection has stream numbers left");
    this.#nextStreamId += 2;
    this.#calls.set(streamId, call);
    return streamId;
  }

  #onFrame(arrived: Frame): void {
    switch (arrived.type) {
      case frameType.data:
        this.#onData(arrived);
        return;
      case frameType.headers:
        this.#onHeaders(arrived);
        return;
      case frameType.continuation:
        this.#onContinuation(arrived);
        return;
      case frameType.resetStream:
        this.#take(arrived.streamId)?.onFailure(`stream reset, error ${errorCodeIn(arrived, 0)}`);
        return;
      case frameType.settings:
        this.#onSettings(arrived);
        return;
      case frameType.ping:
        this.#onPing(arrived);
        return;
      case frameType.goAway:
        this.#onGoAway(arrived);
        return;
      case frameType.windowUpdate:
        this.#onWindowUpdate(arrived);
        return;
      default:
        assert(arrived.type !== frameType.pushPromise, "the peer pushes nothing");
    }
  }

  #onData(arrived: Frame): void {
    this.#countReceived(arrived.end - arrived.start);
    this.#uploads.get(arrived.streamId)?.received(arrived.end - arrived.start);
    this.#calls.get(arrived.streamId)?.onData(arrived.source, arrived.start, arrived.end);
    if ((arrived.flags & frameFlag.endStream) !== 0) this.#take(arrived.streamId)?.onEnd(empty, 0, 0);
  }

  #onHeaders(arrived: Frame): void {
    if ((arrived.flags & frameFlag.endHeaders) === 0) {
      const bytes = Buffer.from(arrived.source.subarray(arrived.start, arrived.end));
      this.#openBlock = { flags: arrived.flags, bytes };
      return;
    }
    // A block that does not end the stream says that an answer follows; what it is, the last one says.
    if ((arrived.flags & frameFlag.endStream) === 0) return;
    this.#take(arrived.streamId)?.onEnd(arrived.source, arrived.start, arrived.end);
  }

  #onContinuation(arrived: Frame): void {
    const open = this.#openBlock;
    assert(open !== undefined, "a continuation follows an open header block");
    open.bytes = Buffer.concat([open.bytes, arrived.source.subarray(arrived.start, arrived.end)]);
    assert(open.bytes.length <= initialSettings.frameBytes, "a header block is of reasonable size");
    if ((arrived.flags & frameFlag.endHeaders) === 0) return;
    this.#openBlock = undefined;
    if ((open.flags & frameFlag.endStream) === 0) return;
    this.#take(arrived.streamId)?.onEnd(open.bytes, 0, open.bytes.length);
  }

  #onSettings(arrived: Frame): void {
    if ((arrived.flags & frameFlag.ack) !== 0) return;
    for (let offset = arrived.start; offset + 6 <= arrived.end; offset += 6) {
      this.#applySetting(arrived.source.readUInt16BE(offset), arrived.source.readUInt32BE(offset + 2));
    }
    this.#output.append(frame({ type: frameType.settings, flags: frameFlag.ack, streamId: 0 }, empty));
    if (this.#isReady) return;
    this.#isReady = true;
    this.#deps.onReady();
  }

  #applySetting(id: number, value: number): void {
    if (id === setting.maxConcurrentStreams) this.#streamsMax = value;
    if (id === setting.initialWindowSize) this.#streamWindow = value;
    if (id === setting.headerTableSize && value < initialSettings.headerTableBytes)
      this.#encoder.forgoTable();
  }

  #onPing(arrived: Frame): void {
    if ((arrived.flags & frameFlag.ack) !== 0) return;
    const opaque = arrived.source.subarray(arrived.start, arrived.end);
    this.#output.append(frame({ type: frameType.ping, flags: frameFlag.ack, streamId: 0 }, opaque));
  }

  #onGoAway(arrived: Frame): void {
    const lastTaken = arrived.source.readUInt32BE(arrived.start) & 0x7f_ff_ff_ff;
    const reason = `connection ended by the server, error ${errorCodeIn(arrived, 4)}`;
    this.#ended = reason;
    for (const call of this.#waiting.splice(0)) call.onFailure(reason);
    for (const streamId of this.#calls.keys()) {
      if (streamId > lastTaken) this.#take(streamId)?.onFailure(reason);
    }
  }

  #onWindowUpdate(arrived: Frame): void {
    const bytes = arrived.source.readUInt32BE(arrived.start) & 0x7f_ff_ff_ff;
    if (arrived.streamId !== 0) {
      // That of other requests matters not: their whole body was sent at once.
      this.#uploads.get(arrived.streamId)?.opened(bytes);
      return;
    }
    this.#sendWindow += bytes;
    assert(this.#sendWindow <= largestWindowBytes, "the peer's window stays within its bounds");
    for (const upload of this.#uploads.values()) upload.opened(0);
  }

  #countReceived(bytes: number): void {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes < connectionWindowBytes / 2) return;
    this.#output.append(windowUpdateFrame(0, this.#receivedBytes));
    this.#receivedBytes = 0;
  }

  #take(streamId: number): StreamedCall | undefined {
    const call = this.#calls.get(streamId);
    this.#calls.delete(streamId);
    this.#uploads.delete(streamId);
    return call;
  }
}

function errorCodeIn(arrived: Frame, offset: number): number {
  return arrived.source.readUInt32BE(arrived.start + offset);
}

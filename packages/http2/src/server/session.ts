/**
 * The server's side of one HTTP/2 connection. Source: RFC 9113.
 *
 *     socket ──► FrameReader ──► Session ──► Stream ──► Receiver     made by the handler,
 *                                   │           │          │         one for each request
 *                            HeaderBlocks   windows    ServerStream
 *                         (CONTINUATION, HPACK,            │
 *                          rules, known requests)          ▼
 *     socket ◄─────────── Output ◄─────────────────────  Sender
 *                   (one write a turn)       (windows of the client, what waits)
 *
 * A fault of the client's that concerns one request ends its stream; one after which the two sides do not
 * agree any more on what is said ends the connection. What costs us work and the client nothing is counted,
 * and too much of it ends the connection too.
 */
import type { Duplex } from "node:stream";
import { ConnectionError, mustHold } from "../connection-error.ts";
import { type Frame, FrameReader } from "../frame-reader.ts";
import {
  errorCode,
  frame,
  frameFlag,
  frameType,
  goAwayFrame,
  initialSettings,
  preface,
  setting,
  settingsFrame,
  windowUpdateFrame,
} from "../frames.ts";
import { Allowance } from "./abuse.ts";
import type { Backlog } from "./backlog.ts";
import { type HeaderBlock, HeaderBlocks } from "./header-blocks.ts";
import { type SessionLimits, tinyIncrement } from "./limits.ts";
import { readSettings } from "./peer-settings.ts";
import type { RequestHandler } from "./stream.ts";
import { Streams } from "./streams.ts";
import { Sender } from "./sender.ts";

/** The time that a session needs to know. */
export interface SessionClock {
  nowMs(): number;
  /** Returns what stops the timer. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface SessionDeps {
  readonly clock: SessionClock;
  readonly handler: RequestHandler;
  readonly limits: SessionLimits;
  /** Shared by all sessions. */
  readonly backlog: Backlog;
  /** The client, or the connection, is at fault; the session has ended. */
  readonly onBroken: (error: Error) => void;
}

/** How long a client that was told why its connection ends may take to close it. */
const farewellMs = 1000;
const nothing = Buffer.alloc(0);

export class Session {
  readonly #socket: Duplex;
  readonly #deps: SessionDeps;
  readonly #sender: Sender;
  readonly #streams: Streams;
  readonly #blocks: HeaderBlocks;
  readonly #noise: Allowance;
  readonly #settings: Allowance;
  readonly #reader = new FrameReader((arrived) => {
    if (!this.#hasEnded) this.#onFrame(arrived);
  });
  #prefaceBytes = 0;
  #hasSettings = false;
  /** Either side has said that there will be no more requests. */
  #isLeaving = false;
  #hasEnded = false;
  readonly #cancelOpening: () => void;
  #cancelStall: (() => void) | undefined;

  /** Serves a connection that has said nothing yet, or whose first bytes have been put back. */
  constructor(socket: Duplex, deps: SessionDeps) {
    const { limits, clock } = deps;
    this.#socket = socket;
    this.#deps = deps;
    this.#sender = new Sender({
      write: (bytes) => socket.writable && socket.write(bytes),
      onAnswered: (stream) => {
        this.#streams.onAnswered(stream);
      },
      backlog: deps.backlog,
      onBacklog: () => {
        this.#watchProgress();
      },
    });
    const nowMs = (): number => clock.nowMs();
    this.#noise = new Allowance("frames that say nothing", limits.noise, nowMs);
    this.#streams = new Streams(this.#sender, {
      limits,
      handler: deps.handler,
      resets: new Allowance("streams that were reset", limits.resets, nowMs),
      noise: this.#noise,
      backlog: deps.backlog,
      onClosed: () => {
        this.#leaveIfDone();
      },
    });
    this.#settings = new Allowance("changes of settings", limits.settings, nowMs);
    this.#blocks = new HeaderBlocks(limits.maxHeaderListBytes);
    this.#greet(limits);
    this.#cancelOpening = clock.after(limits.openingTimeoutMs, () => {
      this.#fail(new ConnectionError(errorCode.settingsTimeout, "the client said too little in time"));
    });
    this.#listen(socket);
  }

  /** Takes no more requests, answers those that were taken, and closes the connection. */
  drain(): void {
    if (this.#hasEnded) return;
    this.#streams.refuseNew();
    this.#sender.control(goAwayFrame(this.#streams.lastId, errorCode.none));
    this.#isLeaving = true;
    this.#leaveIfDone();
  }

  #greet(limits: SessionLimits): void {
    this.#sender.control(
      settingsFrame([
        [setting.maxConcurrentStreams, limits.maxConcurrentStreams],
        [setting.initialWindowSize, limits.streamWindowBytes],
        [setting.maxHeaderListSize, limits.maxHeaderListBytes],
      ]),
    );
    this.#sender.control(windowUpdateFrame(0, limits.connectionWindowBytes - initialSettings.windowBytes));
  }

  #listen(socket: Duplex): void {
    socket.on("drain", () => {
      this.#sender.onSocketDrain();
      if (!this.#hasEnded) socket.resume();
    });
    socket.on("error", (error: Error) => {
      if (!this.#hasEnded) this.#deps.onBroken(error);
    });
    // A client that closes its side in the middle of its requests counts as gone.
    socket.on("end", () => {
      if (!this.#hasEnded) socket.destroy();
    });
    socket.on("close", () => {
      this.#end();
    });
    socket.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.resume();
  }

  #receive(chunk: Buffer): void {
    if (this.#hasEnded) return;
    try {
      const rest = this.#prefaceBytes < preface.length ? this.#skipPreface(chunk) : chunk;
      this.#reader.accept(rest);
    } catch (error) {
      // A fault of ours, too, costs this connection alone.
      this.#fail(error instanceof ConnectionError ? error : internalFault(error));
    }
  }

  #skipPreface(chunk: Buffer): Buffer {
    const bytes = Math.min(preface.length - this.#prefaceBytes, chunk.length);
    const expected = preface.subarray(this.#prefaceBytes, this.#prefaceBytes + bytes);
    mustHold(expected.equals(chunk.subarray(0, bytes)), "a connection begins with the preface");
    this.#prefaceBytes += bytes;
    return chunk.subarray(bytes);
  }

  #onFrame(arrived: Frame): void {
    const { type } = arrived;
    mustHold(this.#hasSettings || type === frameType.settings, "the first frame is SETTINGS");
    mustHold(!this.#blocks.isOpen || type === frameType.continuation, "a header block is in one piece");
    switch (type) {
      case frameType.data:
        this.#streams.onData(arrived);
        return;
      case frameType.headers:
        mustHold(arrived.streamId % 2 === 1, "a client's stream has an odd number");
        this.#onBlock(this.#blocks.begin(arrived));
        return;
      case frameType.continuation:
        this.#onBlock(this.#blocks.proceed(arrived));
        return;
      case frameType.windowUpdate:
        this.#onWindowUpdate(arrived);
        return;
      case frameType.resetStream:
        mustHaveBytes(arrived, 4);
        this.#streams.onReset(arrived.streamId);
        return;
      case frameType.settings:
        this.#onSettings(arrived);
        return;
      case frameType.ping:
        this.#onPing(arrived);
        return;
      case frameType.goAway:
        mustHold(arrived.streamId === 0 && arrived.payloadBytes >= 8, "GOAWAY is of the connection");
        this.#isLeaving = true;
        this.#leaveIfDone();
        return;
      case frameType.priority:
        mustHold(arrived.streamId !== 0, "PRIORITY is of a stream");
        if (arrived.payloadBytes !== 5) this.#onMisshapen(arrived);
        this.#noise.spend();
        return;
      case frameType.pushPromise:
        throw new ConnectionError(errorCode.protocol, "a client pushes nothing");
      default:
        // Kinds that are not known are no fault. Source: RFC 9113 §5.5.
        this.#noise.spend();
    }
  }

  #onBlock(block: HeaderBlock | undefined): void {
    if (block === undefined) return;
    if (this.#streams.isNew(block.streamId)) {
      this.#streams.onRequest(block, this.#blocks.request(block.bytes));
    } else {
      this.#streams.onTrailers(block, this.#blocks.decode(block.bytes));
    }
  }

  /** A frame of a wrong length, of a stream that may never have been opened. */
  #onMisshapen({ streamId }: Frame): void {
    if (this.#streams.isNew(streamId)) throw new ConnectionError(errorCode.frameSize, "PRIORITY of 5 bytes");
    this.#streams.fault(streamId, errorCode.frameSize);
  }

  #onWindowUpdate(arrived: Frame): void {
    mustHaveBytes(arrived, 4);
    const bytes = arrived.source.readUInt32BE(arrived.start) & 0x7f_ff_ff_ff;
    if (arrived.streamId !== 0) {
      this.#streams.onWindowUpdate(arrived.streamId, bytes);
      return;
    }
    mustHold(bytes > 0, "a window grows by something");
    if (bytes < tinyIncrement) this.#noise.spend();
    if (!this.#sender.growWindow(bytes)) {
      throw new ConnectionError(errorCode.flowControl, "a window of more than 2^31-1 bytes");
    }
  }

  #onSettings(arrived: Frame): void {
    mustHold(arrived.streamId === 0, "SETTINGS is of the connection");
    if ((arrived.flags & frameFlag.ack) !== 0) {
      mustHaveBytes(arrived, 0);
      return;
    }
    this.#settings.spend();
    const { windowBytes, shrinksTable } = readSettings(arrived);
    if (!this.#hasSettings) {
      this.#hasSettings = true;
      this.#cancelOpening();
    }
    this.#sender.control(frame({ type: frameType.settings, flags: frameFlag.ack, streamId: 0 }, nothing));
    if (shrinksTable) this.#sender.announceNoTable();
    if (windowBytes !== undefined) this.#streams.setSendWindow(windowBytes);
  }

  #onPing(arrived: Frame): void {
    mustHold(arrived.streamId === 0, "PING is of the connection");
    mustHaveBytes(arrived, 8);
    if ((arrived.flags & frameFlag.ack) !== 0) return;
    this.#noise.spend();
    const opaque = arrived.source.subarray(arrived.start, arrived.end);
    this.#sender.control(frame({ type: frameType.ping, flags: frameFlag.ack, streamId: 0 }, opaque));
    this.#pauseIfDeaf();
  }

  /** A client that asks and does not listen is not listened to either. */
  #pauseIfDeaf(): void {
    if (this.#socket.writableLength > maxDeafBytes) this.#socket.pause();
  }

  /** Gives up on answers, or on the connection, when the client takes nothing of what waits for it. */
  #watchProgress(): void {
    if (this.#cancelStall !== undefined || this.#hasEnded) return;
    this.#sender.hasStalled();
    this.#cancelStall = this.#deps.clock.after(this.#deps.limits.stallTimeoutMs, () => {
      this.#cancelStall = undefined;
      if (!this.#sender.hasBacklog) return;
      if (this.#sender.hasStalled()) this.#giveUpBacklog();
      if (!this.#hasEnded && this.#sender.hasBacklog) this.#watchProgress();
    });
  }

  #giveUpBacklog(): void {
    if (!this.#sender.isCongested) {
      this.#streams.turnAwayWaiting();
      return;
    }
    this.#deps.onBroken(new Error("the client takes no answers"));
    this.#socket.destroy();
  }

  #leaveIfDone(): void {
    if (!this.#isLeaving || this.#hasEnded || this.#streams.count > 0) return;
    this.#sender.flush();
    this.#end();
    this.#sayGoodbye(this.#deps.limits.stallTimeoutMs);
  }

  #fail(error: ConnectionError): void {
    if (this.#hasEnded) return;
    this.#sender.control(goAwayFrame(this.#streams.lastId, error.code));
    this.#sender.flush();
    this.#end();
    this.#deps.onBroken(error);
    this.#sayGoodbye(farewellMs);
  }

  /** What still comes is read and dropped: closing with unread bytes would take our last words back. */
  #sayGoodbye(patienceMs: number): void {
    this.#socket.resume();
    this.#socket.end();
    const cancel = this.#deps.clock.after(patienceMs, () => this.#socket.destroy());
    this.#socket.once("close", cancel);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelOpening();
    this.#cancelStall?.();
    this.#streams.abandon();
  }
}

/** Replies that a client may leave untaken while it sends more. */
const maxDeafBytes = 1024 * 1024;

function internalFault(error: unknown): ConnectionError {
  return new ConnectionError(errorCode.internal, "a fault of the server's own", { cause: error });
}

function mustHaveBytes({ payloadBytes }: Frame, bytes: number): void {
  if (payloadBytes !== bytes) {
    throw new ConnectionError(errorCode.frameSize, "a frame has the length of its kind");
  }
}

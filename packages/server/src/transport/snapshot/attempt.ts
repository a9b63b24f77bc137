import type { Socket } from "node:net";
import { encodeHeader, encodeTrailer, noTrailer } from "@dkv/snapshot";
import { DecodeError } from "../../codec/decode-error.ts";
import { decodeHelloReply } from "../../codec/handshake-codec.ts";
import {
  decodeSnapshotAnswer,
  encodeSnapshotFrame,
  type SnapshotAnswer,
  type SnapshotFrame,
} from "../../codec/snapshot-codec.ts";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import { describeFailure } from "../connect-failure.ts";
import { FrameReader } from "../frame-reader.ts";
import { maxGreetingBytes, pingFrame } from "../greeting.ts";
import type { Timing } from "../options.ts";
import { type Pace, restMs } from "./pace.ts";
import type { Cargo, SnapshotOutcome } from "./snapshot.ts";

/** A broken connection is worth another one. */
export type AttemptEnd =
  | Exclude<SnapshotOutcome, { kind: "cancelled" }>
  | { readonly kind: "broken"; readonly reason: string };

export interface AttemptDeps {
  readonly clock: Clock;
  readonly timing: Timing;
  readonly pace: Pace;
  /** The peer has so many chunks on its disk, counted from the first. */
  readonly onReceived: (chunks: number) => void;
}

/** One connection on which a snapshot is sent: greeting, offer, chunks from where the peer is, trailer. */
export class Attempt {
  /** Resolves when the connection is closed and nothing is read of the snapshot any more. */
  readonly ended: Promise<AttemptEnd>;
  readonly #resolveEnded: (end: AttemptEnd) => void;
  readonly #socket: Socket;
  readonly #cargo: Cargo;
  readonly #deps: AttemptDeps;
  readonly #cancelDeadline: Cancel;
  #phase: "greeting" | "offered" | "skipping" | "sending" = "greeting";
  /** Chunks that the peer has, and how many there are: known once all have left. */
  #received = 0;
  #total: number | undefined;
  /** The first reason counts. */
  #end: AttemptEnd | undefined;
  #sending: Promise<void> = Promise.resolve();
  /** Goes on with what waits for the socket or for the time. */
  #wake: () => void = () => undefined;
  #heardMs: number;

  constructor(socket: Socket, cargo: Cargo, deps: AttemptDeps) {
    this.#socket = socket;
    this.#cargo = cargo;
    this.#deps = deps;
    this.#heardMs = deps.clock.nowMs();
    const { promise, resolve } = Promise.withResolvers<AttemptEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    const { handshakeMs } = deps.timing;
    this.#cancelDeadline = deps.clock.after(handshakeMs, () => {
      this.cut(`no greeting within ${String(handshakeMs)} ms`);
    });
    this.#listen();
  }

  /**
   * Whether all that can be done is being done, and yet no chunk arrives: we read up to where the peer is, or
   * the peer reads what it has. Either takes long for a large state; the peer says meanwhile that it lives.
   */
  get isReading(): boolean {
    return this.#phase === "skipping" || this.#received === this.#total;
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    if (this.#phase === "greeting") return;
    const { silenceMs } = this.#deps.timing;
    if (nowMs - this.#heardMs > silenceMs) this.cut(`no answer for ${String(silenceMs)} ms`);
    else if (this.#socket.writable && this.#socket.writableLength === 0) this.#socket.write(pingFrame);
  }

  cut(reason: string): void {
    this.#finish({ kind: "broken", reason });
  }

  #listen(): void {
    const socket = this.#socket;
    const reader = new FrameReader(maxGreetingBytes);
    let failure = "the peer closed the connection";
    socket.on("error", (error) => {
      failure = describeFailure(error);
    });
    socket.once("close", () => {
      this.cut(failure);
    });
    socket.on("drain", () => {
      this.#wake();
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const bytes of reader.frames(chunk)) {
          if (this.#end !== undefined) return;
          this.#onFrame(bytes);
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        this.cut(error.message);
      }
    });
  }

  #onFrame(bytes: Buffer): void {
    this.#heardMs = this.#deps.clock.nowMs();
    if (this.#phase === "greeting") this.#onReply(bytes);
    else if (bytes.length > 0) this.#onAnswer(decodeSnapshotAnswer(bytes));
  }

  #onReply(bytes: Buffer): void {
    const { refusal, later } = decodeHelloReply(bytes);
    if (refusal !== "") {
      const reason = `it refused us: ${refusal}`;
      this.#finish({ kind: later ? "broken" : "refused", reason });
      return;
    }
    this.#cancelDeadline();
    this.#phase = "offered";
    const { snapshot, term } = this.#cargo;
    this.#socket.write(encodeSnapshotFrame({ kind: "offer", term, header: encodeHeader(snapshot.header) }));
  }

  #onAnswer(answer: SnapshotAnswer): void {
    if (answer.kind !== "received") {
      this.#finish(answer);
      return;
    }
    this.#received = answer.chunks;
    this.#deps.onReceived(answer.chunks);
    if (this.#phase !== "offered") return;
    this.#phase = "skipping";
    this.#sending = this.#send(answer.chunks);
  }

  async #send(skip: number): Promise<void> {
    const chunks = this.#cargo.snapshot.chunks(skip);
    try {
      while (this.#end === undefined) {
        const next = await chunks.next();
        this.#phase = "sending";
        if (next.done === true) {
          this.#total = next.value.chunks;
          await this.#write({ kind: "trailer", trailer: encodeTrailer(next.value) });
          return;
        }
        await this.#paced(next.value.length);
        await this.#write({ kind: "chunk", chunk: next.value });
      }
      // Nobody asks for the trailer any more.
      await chunks.return(noTrailer);
    } catch (error) {
      const isClosed = error instanceof DkvError && error.code === "stopping";
      this.#finish(isClosed ? { kind: "gaveUp", reason: error.message } : { kind: "unreadable", error });
    }
  }

  /** Resolves when the socket takes more: no more than one chunk waits in it. */
  async #write(frame: SnapshotFrame): Promise<void> {
    if (this.#end !== undefined) return;
    this.#socket.write(encodeSnapshotFrame(frame));
    while (this.#end === undefined && this.#socket.writableNeedDrain) await this.#waked();
  }

  async #paced(bytes: number): Promise<void> {
    // At least a moment, for how late it ends tells how busy the machine is.
    const lateMs = await this.#pause(Math.max(1, this.#deps.pace.delayMs(bytes)));
    const rest = restMs(lateMs);
    if (rest > 0) await this.#pause(rest);
  }

  /** Returns by how much longer it took. */
  async #pause(delayMs: number): Promise<number> {
    const { clock } = this.#deps;
    const dueMs = clock.nowMs() + delayMs;
    let isDue = false;
    const cancel = clock.after(delayMs, () => {
      isDue = true;
      this.#wake();
    });
    // What has drained wakes it as well.
    while (this.#end === undefined && !isDue) await this.#waked();
    cancel();
    return clock.nowMs() - dueMs;
  }

  #waked(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  #finish(end: AttemptEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#cancelDeadline();
    this.#socket.destroy();
    this.#wake();
    void this.#sending.then(() => {
      this.#resolveEnded(end);
    });
  }
}

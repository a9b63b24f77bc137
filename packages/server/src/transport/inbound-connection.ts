import type { Socket } from "node:net";
import { DecodeError } from "../codec/decode-error.ts";
import { decodeHello, encodeHelloReply, type Hello } from "../codec/handshake-codec.ts";
import { decodeFrame } from "../codec/raft-decoder.ts";
import { FrameReader } from "./frame-reader.ts";
import { maxGreetingBytes, pingFrame, type Verdict } from "./greeting.ts";
import type { Timing, TransportOptions } from "./options.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { PeerEvents } from "./peer-transport.ts";

export interface InboundDeps {
  readonly options: TransportOptions;
  readonly timing: Timing;
  readonly events: PeerEvents;
  readonly nowMs: () => number;
  readonly judge: (hello: Hello) => Verdict;
  /** The greeting is over and `peer` is who it says it is. */
  readonly onWelcome: (peer: PeerRecord) => void;
  /** Nothing more will come; without a reason if the other side closed the connection. */
  readonly onEnd: (reason: string | undefined) => void;
}

/**
 * A connection that was dialled by someone who, once the greeting has proved it, is a peer: its frames arrive
 * here.
 */
export class InboundConnection {
  readonly #socket: Socket;
  readonly #deps: InboundDeps;
  readonly #reader = new FrameReader(maxGreetingBytes);
  #peer: PeerRecord | undefined;
  #heardMs: number;
  /** Whether anything came since the peer was last told that we live. */
  #owesAnswer = false;

  constructor(socket: Socket, deps: InboundDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#heardMs = deps.nowMs();
    let reason: string | undefined;
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.once("close", () => {
      deps.onEnd(reason);
    });
    socket.on("data", (chunk: Buffer) => {
      this.#onData(chunk);
    });
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    if (this.#peer === undefined) return;
    const { silenceMs } = this.#deps.timing;
    if (nowMs - this.#heardMs > silenceMs) this.cut(`nothing heard for ${String(silenceMs)} ms`);
    else if (this.#owesAnswer && this.#socket.writableLength === 0) {
      this.#owesAnswer = false;
      this.#socket.write(pingFrame);
    }
  }

  cut(reason: string): void {
    this.#socket.destroy(new Error(reason));
  }

  #onData(chunk: Buffer): void {
    this.#heardMs = this.#deps.nowMs();
    this.#owesAnswer = true;
    try {
      for (const bytes of this.#reader.frames(chunk)) {
        if (this.#peer === undefined) this.#onHello(decodeHello(bytes));
        else this.#onFrame(this.#peer, bytes);
        if (this.#socket.destroyed || this.#socket.writableEnded) return;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.cut(error.message);
    }
  }

  #onHello(hello: Hello): void {
    const { options, judge, onWelcome } = this.#deps;
    const verdict = judge(hello);
    const { clientAddress } = options.self;
    if (verdict.kind === "refuse") {
      const { reason } = verdict;
      this.#socket.end(encodeHelloReply({ refusal: reason, clientAddress }), () => {
        this.cut(reason);
      });
      return;
    }
    this.#peer = verdict.peer;
    this.#peer.greeted(hello.clientAddress);
    this.#peer.heard(this.#heardMs);
    this.#reader.allow(options.maxFrameBytes);
    onWelcome(verdict.peer);
    this.#socket.write(encodeHelloReply({ refusal: "", clientAddress }));
  }

  #onFrame(peer: PeerRecord, bytes: Buffer): void {
    peer.heard(this.#heardMs);
    if (bytes.length === 0) return;
    const { id } = peer.address;
    this.#deps.events.onFrame(id, decodeFrame(bytes, { from: id, to: this.#deps.options.self.id }));
  }
}

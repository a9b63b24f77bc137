import type { Socket } from "node:net";
import { DecodeError } from "../codec/decode-error.ts";
import { decodeHello, encodeHelloReply, type Hello } from "../codec/handshake-codec.ts";
import { decodeFrame } from "../codec/raft-decoder.ts";
import { FrameReader } from "./frame-reader.ts";
import { maxGreetingBytes, pingFrame, replyTo, type Verdict } from "./greeting.ts";
import type { Timing, TransportOptions } from "./options.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { PeerEvents } from "./peer-transport.ts";

/** What one peer's connection may add to the log about messages that this version does not know. */
const maxPassedOver = 16;

export interface InboundDeps {
  readonly options: TransportOptions;
  readonly timing: Timing;
  readonly events: PeerEvents;
  readonly nowMs: () => number;
  readonly judge: (hello: Hello) => Verdict;
  /** The greeting is over and `peer` is who it says it is: its frames follow. */
  readonly onWelcome: (peer: PeerRecord) => void;
  /** The same, but it is a snapshot that follows. What the reader gives from now on is not read here. */
  readonly onSnapshot: (peer: PeerRecord, connection: SnapshotConnection) => void;
  /** A new member was told who it is. */
  readonly onIntroduced: (name: string) => void;
  /** The peer says what this version does not understand; once for each such thing. */
  readonly onPassedOver: (peer: PeerRecord, what: string) => void;
  /** Nothing more will come; without a reason if the other side closed the connection. */
  readonly onEnd: (reason: string | undefined) => void;
}

/** A connection whose greeting is over, and what was read of it beyond. */
export interface SnapshotConnection {
  readonly socket: Socket;
  readonly reader: FrameReader;
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
  /** Who will send a snapshot on it. */
  #snapshotFrom: PeerRecord | undefined;
  #heardMs: number;
  /** Whether anything came since the peer was last told that we live. */
  #owesAnswer = false;
  /** What was passed over of what the peer says. */
  readonly #passedOver = new Set<string>();
  readonly #listener = (chunk: Buffer): void => {
    this.#onData(chunk);
  };

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
    socket.on("data", this.#listener);
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
        if (this.#snapshotFrom !== undefined) throw new DecodeError("it did not wait for our answer");
        if (this.#peer === undefined) this.#onHello(decodeHello(bytes));
        else this.#onFrame(this.#peer, bytes);
        if (this.#socket.destroyed || this.#socket.writableEnded) return;
      }
      if (this.#snapshotFrom !== undefined) this.#handOver(this.#snapshotFrom);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.cut(error.message);
    }
  }

  #onHello(hello: Hello): void {
    const { options, judge } = this.#deps;
    const verdict = judge(hello);
    switch (verdict.kind) {
      case "refuse": {
        const { reason, removed, later, dataLost } = verdict;
        this.#socket.end(
          encodeHelloReply(replyTo(options, { refusal: reason, removed, later, dataLost })),
          () => {
            this.cut(reason);
          },
        );
        return;
      }
      case "introduce":
        this.#socket.end(encodeHelloReply(replyTo(options, { introduction: verdict.introduction })), () => {
          this.#deps.onIntroduced(verdict.name);
          this.#socket.destroy();
        });
        return;
      case "welcome":
        verdict.peer.greeted(hello);
        verdict.peer.heard(this.#heardMs);
        this.#reader.allow(options.maxFrameBytes);
        if (verdict.purpose === "snapshot") this.#snapshotFrom = verdict.peer;
        else this.#welcome(verdict.peer);
    }
  }

  #welcome(peer: PeerRecord): void {
    this.#peer = peer;
    this.#deps.onWelcome(peer);
    this.#socket.write(encodeHelloReply(replyTo(this.#deps.options, {})));
  }

  #handOver(peer: PeerRecord): void {
    this.#socket.off("data", this.#listener);
    this.#socket.pause();
    this.#deps.onSnapshot(peer, { socket: this.#socket, reader: this.#reader });
    this.#socket.write(encodeHelloReply(replyTo(this.#deps.options, {})));
  }

  #onFrame(peer: PeerRecord, bytes: Buffer): void {
    peer.heard(this.#heardMs);
    if (bytes.length === 0) return;
    const { id } = peer.address;
    const route = { from: id, to: this.#deps.options.self.id };
    const frame = decodeFrame(bytes, route, (what) => {
      this.#onPassedOver(peer, what);
    });
    this.#deps.events.onFrame(id, frame);
  }

  #onPassedOver(peer: PeerRecord, what: string): void {
    if (this.#passedOver.has(what) || this.#passedOver.size >= maxPassedOver) return;
    this.#passedOver.add(what);
    this.#deps.onPassedOver(peer, what);
  }
}

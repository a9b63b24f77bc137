import type { Socket } from "node:net";
import { DecodeError } from "../codec/decode-error.ts";
import { decodeHelloReply, encodeHello, type HelloReply } from "../codec/handshake-codec.ts";
import { encodeFrame } from "../codec/raft-encoder.ts";
import { FrameMemory } from "../codec/wire-writer.ts";
import { keepsRequestLimits } from "../codec/request-codec.ts";
import type { Cancel } from "../platform/clock.ts";
import type { TlsMaterial } from "../platform/tls-files.ts";
import { isOutdated } from "../platform/trust.ts";
import { version } from "../version.ts";
import { Backoff } from "./backoff.ts";
import type { Complaints } from "./complaints.ts";
import { describeFailure } from "./connect-failure.ts";
import { dial } from "./dial.ts";
import { FrameReader } from "./frame-reader.ts";
import {
  isAnother,
  isOtherHistory,
  maxGreetingBytes,
  otherHistory,
  pingFrame,
  protocolVersion,
} from "./greeting.ts";
import type { Timing, TransportDeps, TransportOptions } from "./options.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { PeerFrame } from "./peer-transport.ts";

/** What the link is doing. Only a connected one takes frames: Raft repeats what was lost. */
type State =
  | { readonly kind: "waiting"; readonly cancel: Cancel }
  | { readonly kind: "dialling"; readonly socket: Socket; readonly cancelDeadline: Cancel }
  | { readonly kind: "connected"; readonly socket: Socket; readonly sinceMs: number }
  /** What was queued is leaving. */
  | { readonly kind: "retiring"; readonly socket: Socket; readonly cancel: Cancel }
  | { readonly kind: "closed" };

export interface LinkDeps extends TransportDeps {
  readonly complaints: Complaints;
  readonly timing: Timing;
  /** What the certificate files hold now; undefined for cleartext. */
  readonly tlsMaterial: () => TlsMaterial | undefined;
  /** Where others reach us, as host:port; empty if that is not known. */
  readonly ownAddress: () => string;
  /** A peer that has proved its identity says that this member was removed from the cluster. */
  readonly onRemoved: () => void;
  /** A peer that has proved its identity says that this member has lost its data. */
  readonly onDataLost: (reason: string) => void;
}

/** The connection on which we send to one peer. It is dialled again and again until it is closed. */
export class OutboundLink {
  readonly #options: TransportOptions;
  readonly #peer: PeerRecord;
  readonly #deps: LinkDeps;
  readonly #backoff: Backoff;
  readonly #maxQueueBytes: number;
  readonly #memory = new FrameMemory();
  #state: State | undefined;
  /** When the peer last answered on this connection. */
  #answeredMs = 0;

  constructor(options: TransportOptions, peer: PeerRecord, deps: LinkDeps) {
    this.#options = options;
    this.#peer = peer;
    this.#deps = deps;
    this.#backoff = new Backoff(deps.timing.backoff, deps.random);
    this.#maxQueueBytes = options.maxQueueBytes ?? options.maxFrameBytes;
  }

  /** Dials, unless it is closed already. */
  start(): void {
    if (this.#state === undefined) this.#dial();
  }

  /** Dials without waiting any longer, if it is waiting: the peer has just shown that it lives. */
  dialNow(): void {
    if (this.#state?.kind !== "waiting") return;
    this.#state.cancel();
    this.#dial();
  }

  /**
   * The peer is to be found elsewhere from now on. As long as it is where it was, the connection serves: a
   * cluster whose members are all told of new addresses has to agree on that until they are there.
   */
  moved(): void {
    if (this.#state?.kind === "dialling") this.#state.socket.destroy(new Error("the peer has moved"));
    this.dialNow();
  }

  get isConnected(): boolean {
    return this.#state?.kind === "connected";
  }

  /** Whether the connection was made with certificates that are good no more, and there are others now. */
  isOutdated(material: TlsMaterial): boolean {
    return this.#state?.kind === "connected" && isOutdated(this.#state.socket, material);
  }

  /** Returns whether the frame was queued. */
  send(frame: PeerFrame): boolean {
    if (this.#state?.kind !== "connected") return false;
    const { socket } = this.#state;
    // Asked before encoding: a peer that does not read costs us nothing. One frame may go over the limit.
    if (socket.writableLength >= this.#maxQueueBytes) {
      this.#drop("its queue is full");
      return false;
    }
    if (!keepsRequestLimits(frame)) {
      this.#drop("it holds too many requests");
      return false;
    }
    const bytes = encodeFrame(frame, this.#memory);
    if (bytes.length - 4 > this.#options.maxFrameBytes) {
      this.#drop("a frame is too long");
      return false;
    }
    socket.write(bytes);
    return true;
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    if (this.#state?.kind !== "connected") return;
    const { socket } = this.#state;
    if (nowMs - this.#answeredMs > this.#deps.timing.silenceMs) {
      socket.destroy(new Error(`no answer for ${String(this.#deps.timing.silenceMs)} ms`));
      return;
    }
    if (socket.writableLength < this.#maxQueueBytes) socket.write(pingFrame);
  }

  /**
   * Takes no more frames and closes once the peer has what is queued, or has not read it for `silenceMs`.
   * `onGone` is called when nothing of the link is left, unless it is closed before.
   */
  retire(onGone: () => void): void {
    const state = this.#state;
    if (state?.kind !== "connected") {
      this.close();
      onGone();
      return;
    }
    const { clock, timing } = this.#deps;
    const { socket } = state;
    const cancel = clock.after(timing.silenceMs, () => socket.destroy());
    this.#state = { kind: "retiring", socket, cancel };
    socket.once("close", () => {
      cancel();
      onGone();
    });
    socket.end();
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state?.kind === "waiting" || state?.kind === "retiring") state.cancel();
    if (state?.kind === "dialling") state.cancelDeadline();
    if (state !== undefined && "socket" in state) state.socket.destroy();
  }

  #dial(): void {
    const { clock, timing } = this.#deps;
    const socket = this.#connect();
    const cancelDeadline = clock.after(timing.handshakeMs, () =>
      socket.destroy(new Error(`no greeting within ${String(timing.handshakeMs)} ms`)),
    );
    this.#state = { kind: "dialling", socket, cancelDeadline };
    let failure = "the peer closed the connection";
    socket.on("error", (error) => {
      failure = describeFailure(error);
    });
    socket.once("close", () => {
      cancelDeadline();
      this.#onLost(failure);
    });
    this.#listen(socket);
  }

  #connect(): Socket {
    const { name, peerAddress, id } = this.#peer.address;
    const { self, clusterId } = this.#options;
    const hello = encodeHello({
      protocolVersion,
      clusterId,
      from: self.id,
      to: id,
      clientAddress: self.clientAddress,
      clientUrls: self.clientUrls ?? [],
      version,
      purpose: "member",
      name: self.name,
      peerAddress: this.#deps.ownAddress(),
      incarnation: self.incarnation,
      history: this.#options.history(),
    });
    return dial({ peerAddress, name, material: this.#deps.tlsMaterial() }, hello);
  }

  /** The peer says only that we are welcome, or why not, and then that it lives. */
  #listen(socket: Socket): void {
    const reader = new FrameReader(maxGreetingBytes);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const bytes of reader.frames(chunk)) {
          if (socket.destroyed) return;
          this.#onFrame(socket, bytes);
        }
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        socket.destroy(error);
      }
    });
  }

  #onFrame(socket: Socket, bytes: Buffer): void {
    const { clock, logger } = this.#deps;
    this.#answeredMs = clock.nowMs();
    if (this.#state?.kind === "dialling") {
      const reply = decodeHelloReply(bytes);
      if (reply.refusal !== "") {
        if (this.#isFromPeer(reply)) this.#onRefusal(reply);
        throw new DecodeError(`it refused us: ${reply.refusal}`);
      }
      if (isOtherHistory(reply, this.#options)) throw new DecodeError(otherHistory(this.#peer.address.name));
      if (isAnother(reply, this.#peer.address)) throw new DecodeError("it has lost its data: replace it");
      this.#state.cancelDeadline();
      this.#state = { kind: "connected", socket, sinceMs: this.#answeredMs };
      this.#peer.greeted(reply);
      logger.info({ peer: this.#peer.address.name }, "connected to peer");
    } else if (bytes.length !== 0) {
      throw new DecodeError("it sent a frame where only signs of life belong");
    }
    this.#peer.heard(this.#answeredMs);
  }

  /**
   * A member that believes some refusals stops for good: so only on the word of whom we meant to ask. With
   * TLS nobody else comes so far; in clear anybody can say anything.
   */
  #isFromPeer({ clusterId, from }: HelloReply): boolean {
    return clusterId === this.#options.clusterId && from === this.#peer.address.id;
  }

  #onRefusal({ refusal, removed, dataLost }: HelloReply): void {
    if (removed) this.#deps.onRemoved();
    if (dataLost) this.#deps.onDataLost(refusal);
  }

  #onLost(reason: string): void {
    const state = this.#state;
    if (state?.kind === "closed" || state?.kind === "retiring") return;
    const { clock, timing, logger, complaints } = this.#deps;
    const { name, peerAddress } = this.#peer.address;
    if (state?.kind === "connected") {
      logger.warn({ peer: name, reason }, "lost connection to peer");
      // A peer that accepts us only to cut us off is not dialled at full speed.
      if (clock.nowMs() - state.sinceMs > timing.backoff.maxMs) this.#backoff.reset();
    } else {
      complaints.warn("cannot reach peer; trying again", { about: name, reason, peer: name, peerAddress });
    }
    const cancel = clock.after(this.#backoff.next(), () => {
      this.#dial();
    });
    this.#state = { kind: "waiting", cancel };
  }

  #drop(reason: string): void {
    const { name } = this.#peer.address;
    this.#deps.complaints.warn("dropped a frame to peer", { about: name, reason, peer: name });
  }
}

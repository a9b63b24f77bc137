import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { DecodeError } from "../codec/decode-error.ts";
import { decodeHelloReply, encodeHello } from "../codec/handshake-codec.ts";
import { encodeFrame } from "../codec/raft-encoder.ts";
import { parseHostPort } from "../platform/address.ts";
import type { Cancel } from "../platform/clock.ts";
import type { TlsMaterial } from "../platform/tls-files.ts";
import { Backoff } from "./backoff.ts";
import type { Complaints } from "./complaints.ts";
import { FrameReader } from "./frame-reader.ts";
import { maxGreetingBytes, pingFrame, protocolVersion } from "./greeting.ts";
import type { Timing, TransportDeps, TransportOptions } from "./options.ts";
import { checkHost } from "./peer-identity.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { PeerFrame } from "./peer-transport.ts";

/** What the link is doing. Only a connected one takes frames: Raft repeats what was lost. */
type State =
  | { readonly kind: "waiting"; readonly cancel: Cancel }
  | { readonly kind: "dialling"; readonly socket: Socket; readonly cancelDeadline: Cancel }
  | { readonly kind: "connected"; readonly socket: Socket; readonly sinceMs: number }
  | { readonly kind: "closed" };

export interface LinkDeps extends TransportDeps {
  readonly complaints: Complaints;
  readonly timing: Timing;
  /** What the certificate files hold now; undefined for cleartext. */
  readonly tlsMaterial: () => TlsMaterial | undefined;
}

/** The connection on which we send to one peer. It is dialled again and again until it is closed. */
export class OutboundLink {
  readonly #options: TransportOptions;
  readonly #peer: PeerRecord;
  readonly #deps: LinkDeps;
  readonly #backoff: Backoff;
  readonly #maxQueueBytes: number;
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

  start(): void {
    this.#dial();
  }

  /** Dials without waiting any longer, if it is waiting: the peer has just shown that it lives. */
  dialNow(): void {
    if (this.#state?.kind !== "waiting") return;
    this.#state.cancel();
    this.#dial();
  }

  /** Returns whether the frame was queued. */
  get isConnected(): boolean {
    return this.#state?.kind === "connected";
  }

  send(frame: PeerFrame): boolean {
    if (this.#state?.kind !== "connected") return false;
    const { socket } = this.#state;
    // Asked before encoding: a peer that does not read costs us nothing. One frame may go over the limit.
    if (socket.writableLength >= this.#maxQueueBytes) {
      this.#drop("its queue is full");
      return false;
    }
    const bytes = encodeFrame(frame);
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

  close(): void {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state?.kind === "waiting") state.cancel();
    if (state?.kind === "dialling") state.cancelDeadline();
    if (state?.kind === "dialling" || state?.kind === "connected") state.socket.destroy();
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
      failure = describe(error);
    });
    socket.once("close", () => {
      cancelDeadline();
      this.#onLost(failure);
    });
    this.#listen(socket);
  }

  #connect(): Socket {
    const { name, peerAddress } = this.#peer.address;
    const { host = "localhost", port } = parseHostPort(peerAddress, `the peer address of ${name}`);
    const material = this.#deps.tlsMaterial();
    if (material === undefined) {
      const socket = connectTcp({ host, port, noDelay: true });
      return socket.once("connect", () => socket.write(this.#hello()));
    }
    const checkServerIdentity = (_host: string, certificate: PeerCertificate) => checkHost(host, certificate);
    // Typed apart, since Node's types of TLS options do not name what is handed on to TCP.
    const tcpOptions: TcpNetConnectOpts = { host, port, noDelay: true };
    const socket = connectTls({ ...tcpOptions, ...material, minVersion: "TLSv1.2", checkServerIdentity });
    return socket.once("secureConnect", () => socket.write(this.#hello()));
  }

  #hello(): Buffer {
    const { self, clusterId } = this.#options;
    return encodeHello({
      protocolVersion,
      clusterId,
      from: self.id,
      to: this.#peer.address.id,
      clientAddress: self.clientAddress,
    });
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
      const { refusal, clientAddress } = decodeHelloReply(bytes);
      if (refusal !== "") throw new DecodeError(`it refused us: ${refusal}`);
      this.#state.cancelDeadline();
      this.#state = { kind: "connected", socket, sinceMs: this.#answeredMs };
      this.#peer.greeted(clientAddress);
      logger.info({ peer: this.#peer.address.name }, "connected to peer");
    } else if (bytes.length !== 0) {
      throw new DecodeError("it sent a frame where only signs of life belong");
    }
    this.#peer.heard(this.#answeredMs);
  }

  #onLost(reason: string): void {
    const state = this.#state;
    if (state?.kind === "closed") return;
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

/** An attempt at several addresses of a name fails with all their errors, and no text of its own. */
function describe(error: Error): string {
  if (error instanceof AggregateError)
    return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
  return error.message;
}

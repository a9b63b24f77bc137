import { constants } from "node:crypto";
import { once } from "node:events";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type PeerCertificate,
  type Server as TlsServer,
  TLSSocket,
} from "node:tls";
import type { NodeId } from "@dkv/raft";
import type { Hello } from "../codec/handshake-codec.ts";
import type { ListenAddress } from "../platform/address.ts";
import { isAllowed } from "../platform/allowed-names.ts";
import type { Cancel } from "../platform/clock.ts";
import { listenFailure } from "../platform/listening.ts";
import type { TlsMaterial } from "../platform/tls-files.ts";
import { isTrusted, trustGraceMs } from "../platform/trust.ts";
import type { Complaints } from "./complaints.ts";
import { describeCertificate, describeRefusal } from "./connect-failure.ts";
import { judgeHello, type Verdict } from "./greeting.ts";
import { InboundConnection, type SnapshotConnection } from "./inbound-connection.ts";
import type { PeerAddress, Timing, TransportDeps, TransportOptions } from "./options.ts";
import { vouchesFor } from "./peer-identity.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { PeerEvents } from "./peer-transport.ts";

/**
 * Connections that have not proved who they are. The oldest gives way: honest greetings take milliseconds.
 */
const maxUnproven = 64;

export interface ListenerDeps extends TransportDeps {
  readonly complaints: Complaints;
  readonly timing: Timing;
  /** As they are now. */
  readonly peers: ReadonlyMap<bigint, PeerRecord>;
  /** Members that were removed from the cluster, as far as it is known now. */
  readonly removed: () => ReadonlySet<bigint>;
  /** Makes a peer for the time being of a member that is not known; undefined if none is let in. */
  readonly admit: (address: PeerAddress) => PeerRecord | undefined;
  readonly events: PeerEvents;
  /** A peer has proved who it is, on a new connection. */
  readonly onWelcome: (peer: PeerRecord) => void;
  /** The same, on a connection for a snapshot. */
  readonly onSnapshot: (peer: PeerRecord, connection: SnapshotConnection) => void;
}

interface Listening {
  readonly address: ListenAddress;
  readonly server: Server | TlsServer;
}

interface Unproven {
  readonly socket: Socket;
  /** The remote address alone. */
  readonly about: string;
  readonly cancelDeadline: Cancel;
  /** Why it will never be proven; whoever knows first says it. */
  reason: string | undefined;
}

/** Accepts peers, at most one connection from each: a new one means that the old one is dead. */
export class PeerListener {
  readonly #options: TransportOptions;
  readonly #deps: ListenerDeps;
  readonly #servers: readonly Listening[];
  readonly #sockets = new Set<Socket>();
  /** By remote address and port, which a TLS socket has in common with the one beneath it. */
  readonly #unproven = new Map<string, Unproven>();
  readonly #connections = new Map<bigint, InboundConnection>();
  #cancelGrace: Cancel = () => undefined;

  constructor(options: TransportOptions, material: TlsMaterial | undefined, deps: ListenerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#servers = options.listenAddresses.map((address) => ({
      address,
      server: material === undefined ? this.#tcpServer() : this.#tlsServer(material),
    }));
    for (const { server } of this.#servers) {
      server.on("connection", (socket: Socket) => {
        this.#onAccepted(socket);
      });
    }
  }

  /** Rejects with a StartupError if an address cannot be had. */
  async listen(): Promise<void> {
    for (const { address, server } of this.#servers) {
      const { host, port } = address;
      server.listen(host === undefined ? { port } : { host, port });
      try {
        await once(server, "listening");
      } catch (error) {
        throw listenFailure("peers", address, error);
      }
      server.on("error", (error: Error) => {
        this.#deps.complaints.warn("cannot accept a peer", { about: "", reason: error.message });
      });
    }
  }

  /**
   * New connections use the new certificate; those that are there go on, as long as the CA is trusted that
   * let them in. Peers see the same change in time, and dial again.
   */
  replace(material: TlsMaterial): void {
    for (const { server } of this.#servers)
      if ("setSecureContext" in server) server.setSecureContext(secureOptions(material));
    this.#cancelGrace();
    this.#cancelGrace = this.#deps.clock.after(trustGraceMs, () => {
      for (const socket of this.#sockets) {
        if (!isTrusted(socket, material))
          socket.destroy(new Error("the CA of its certificate is trusted no more"));
      }
    });
  }

  /** To be called every `pingMs`. */
  beat(nowMs: number): void {
    for (const connection of this.#connections.values()) connection.beat(nowMs);
  }

  /** What the peer says is not heard any more. */
  disconnect(id: NodeId, reason: string): void {
    this.#connections.get(id)?.cut(reason);
  }

  get #isListening(): boolean {
    return this.#servers.some(({ server }) => server.listening);
  }

  async close(): Promise<void> {
    this.#cancelGrace();
    const open = this.#servers.filter(({ server }) => server.listening);
    const closed = Promise.all(open.map(({ server }) => once(server, "close")));
    for (const { server } of open) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #tcpServer(): Server {
    return createTcpServer({ noDelay: true }, (socket) => {
      this.#onReady(socket);
    });
  }

  #tlsServer(material: TlsMaterial): TlsServer {
    const options = {
      rejectUnauthorized: true,
      ...secureOptions(material),
      requestCert: true,
      noDelay: true,
    };
    const server = createTlsServer(options, (socket) => {
      this.#onReady(socket);
    });
    return server.on("tlsClientError", (error, socket) => {
      this.#onTlsFailure(error, socket);
      socket.destroy();
    });
  }

  /** Before TLS. From here on the connection has `handshakeMs` to prove who it is. */
  #onAccepted(socket: Socket): void {
    const { clock, timing } = this.#deps;
    const key = endpoint(socket);
    this.#track(socket);
    const [oldest] = this.#unproven.keys();
    if (this.#unproven.size >= maxUnproven && oldest !== undefined)
      this.#reject(oldest, "too many connections without a greeting");
    const cancelDeadline = clock.after(timing.handshakeMs, () => {
      this.#reject(key, `no greeting within ${String(timing.handshakeMs)} ms`);
    });
    this.#unproven.set(key, { socket, about: socket.remoteAddress ?? "", cancelDeadline, reason: undefined });
    socket.once("close", () => {
      this.#reject(key);
    });
  }

  /**
   * Node drops certificates that are not from our CA on its own, and by then has forgotten where they came
   * from.
   */
  #onTlsFailure(error: Error, socket: TLSSocket): void {
    // Typed as an Error, but it is OpenSSL's name for the trouble.
    const authorizationError: unknown = socket.authorizationError;
    if (typeof authorizationError === "string")
      this.#complain("", { reason: describeCertificate(authorizationError) });
    else this.#fail(endpoint(socket), describeRefusal(error));
  }

  /** After TLS. */
  #onReady(socket: Socket): void {
    const { clock, timing, events } = this.#deps;
    const key = endpoint(socket);
    let peer: PeerRecord | undefined;
    if (socket instanceof TLSSocket) this.#track(socket);
    const connection: InboundConnection = new InboundConnection(socket, {
      options: this.#options,
      timing,
      events,
      nowMs: () => clock.nowMs(),
      judge: (hello) => this.#judge(hello, socket),
      onWelcome: (welcome) => {
        peer = welcome;
        this.#onWelcome(key, peer, connection);
      },
      onSnapshot: (welcome, snapshot) => {
        peer = welcome;
        this.#proven(key);
        this.#deps.onSnapshot(peer, snapshot);
      },
      onIntroduced: (name) => {
        this.#proven(key);
        this.#deps.logger.info({ peer: name, remote: key }, "told a new member who it is");
      },
      onPassedOver: ({ address: { name } }, what) => {
        this.#deps.logger.warn(
          { peer: name, what },
          "a peer says what this version does not know; it is passed over",
        );
      },
      onEnd: (reason) => {
        if (peer === undefined) this.#fail(key, reason);
        else this.#onEnd(peer, connection, reason);
      },
    });
  }

  #judge(hello: Hello, socket: Socket): Verdict {
    const verdict = judgeHello(hello, {
      options: this.#options,
      peers: this.#deps.peers,
      removed: this.#deps.removed(),
      admit: this.#deps.admit,
      vouchesFor: (address) =>
        !(socket instanceof TLSSocket) || this.#isWhoItSays(socket.getPeerCertificate(), address),
    });
    if (verdict.kind === "refuse") this.#fail(endpoint(socket), verdict.reason);
    return verdict;
  }

  #isWhoItSays(certificate: PeerCertificate, address: PeerAddress): boolean {
    const { isUnverified, allowed } = this.#options.tls ?? {};
    if (isUnverified === true) return true;
    return vouchesFor(certificate, address) && (allowed === undefined || isAllowed(certificate, allowed));
  }

  #onWelcome(key: string, peer: PeerRecord, connection: InboundConnection): void {
    const { id, name } = peer.address;
    this.#proven(key);
    this.#connections.get(id)?.cut("the peer has connected again");
    this.#connections.set(id, connection);
    this.#deps.logger.info({ peer: name }, "peer connected");
    this.#deps.onWelcome(peer);
  }

  #proven(key: string): void {
    this.#unproven.get(key)?.cancelDeadline();
    this.#unproven.delete(key);
  }

  #onEnd(
    { address: { id, name } }: PeerRecord,
    connection: InboundConnection,
    reason = "the peer closed the connection",
  ): void {
    if (this.#connections.get(id) !== connection) return;
    this.#connections.delete(id);
    if (this.#isListening) this.#deps.logger.warn({ peer: name, reason }, "peer disconnected");
  }

  #fail(key: string, reason: string | undefined): void {
    const unproven = this.#unproven.get(key);
    if (unproven !== undefined) unproven.reason ??= reason;
  }

  /**
   * Does nothing for a connection that is proven, or rejected before. Whoever just goes away is not worth a
   * line.
   */
  #reject(key: string, reason?: string): void {
    const unproven = this.#unproven.get(key);
    if (unproven === undefined) return;
    this.#fail(key, reason);
    this.#unproven.delete(key);
    unproven.cancelDeadline();
    unproven.socket.destroy();
    if (unproven.reason !== undefined)
      this.#complain(unproven.about, { reason: unproven.reason, remote: key });
  }

  #complain(about: string, fields: { readonly reason: string; readonly remote?: string }): void {
    if (this.#isListening) this.#deps.complaints.warn("refused a peer connection", { about, ...fields });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // Whoever needs to know why listens too; without any listener an error would end the process.
    socket.on("error", () => undefined);
  }
}

/** Without tickets nothing can be resumed: each connection shows and proves its certificate. */
function secureOptions(material: TlsMaterial) {
  return { ...material, secureOptions: constants.SSL_OP_NO_TICKET };
}

function endpoint(socket: Socket): string {
  return `${socket.remoteAddress ?? "unknown"} port ${String(socket.remotePort ?? 0)}`;
}

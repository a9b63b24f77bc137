/**
 * The client port: HTTP/1.1 and HTTP/2, in clear or with TLS, on one address.
 *
 * A connection's version is told by ALPN where the client took part in it, else by its first bytes. That
 * lets HTTP/2 clients in that know beforehand what they will speak and so offer no ALPN, over TLS too.
 */
import { once } from "node:events";
import net, { type Server, type Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import type { HostPort } from "../platform/address.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import { listenFailure } from "../platform/listening.ts";
import { readTlsMaterial, type TlsMaterial, type TlsPaths, watchTlsMaterial } from "../platform/tls-files.ts";
import { isTrusted, trustGraceMs } from "../platform/trust.ts";
import { createHttp1Server, createHttp2Server, type HttpServer } from "./http-servers.ts";
import { defaultLimits, type ListenerLimits } from "./limits.ts";
import type { RequestHandlers } from "./request-handlers.ts";
import { type HttpVersion, sniff } from "./sniff.ts";

export interface ClientListenerOptions {
  readonly address: HostPort;
  /** Cleartext if there is none. Clients need a certificate exactly if a CA is given. */
  readonly tls: TlsPaths | undefined;
  readonly limits?: Partial<ListenerLimits>;
}

export interface ClientListenerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handlers: RequestHandlers;
}

/** How long a dead client's connection is kept before the kernel asks whether it lives. */
const keepAliveDelayMs = 30_000;

export interface ClientListener {
  /**
   * Accepts clients from now on. Rejects with a StartupError if the address or a certificate cannot be had.
   */
  start(): Promise<void>;
  /** The port in use; differs from the one asked for if that was 0. Only between start and close. */
  readonly port: number;
  /**
   * Takes no more connections and requests, answers what was accepted, and resolves when all clients are
   * gone. After `graceMs` milliseconds those that are left are cut off.
   */
  close(graceMs: number): Promise<void>;
}

/** The client port of one member. It does nothing until it is started. */
export function createClientListener(
  options: ClientListenerOptions,
  deps: ClientListenerDeps,
): ClientListener {
  return new Listener(options, deps);
}

class Listener implements ClientListener {
  readonly #options: ClientListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #deps: ClientListenerDeps;
  readonly #servers: Readonly<Record<HttpVersion, HttpServer>>;
  /** Everything accepted and not yet closed. */
  readonly #sockets = new Set<Socket>();
  /** Those of them whose TLS handshake is done. */
  readonly #secure = new Set<TLSSocket>();
  /** Those of which it is not known yet what they speak. */
  readonly #unknown = new Set<Socket>();
  #server: Server | undefined;
  #isClosing = false;
  #stopWatching: Cancel = () => {};
  #cancelDismissal: Cancel = () => {};

  constructor(options: ClientListenerOptions, deps: ClientListenerDeps) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#deps = deps;
    this.#servers = {
      http1: createHttp1Server(this.#limits, deps),
      http2: createHttp2Server(this.#limits, deps),
    };
  }

  async start(): Promise<void> {
    const server =
      this.#options.tls === undefined ? this.#cleartextServer() : this.#tlsServer(this.#options.tls);
    server.maxConnections = this.#limits.maxConnections;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("drop", () => {
      this.#deps.logger.warn(
        { limit: this.#limits.maxConnections },
        "a client was turned away: too many connections",
      );
    });
    const { address } = this.#options;
    try {
      server.listen({ port: address.port, ...(address.host === "" ? {} : { host: address.host }) });
      await once(server, "listening");
    } catch (error) {
      this.#stopWatching();
      throw listenFailure("clients", address, error);
    }
    this.#server = server;
  }

  get port(): number {
    const address = this.#server?.address();
    if (typeof address !== "object" || address === null) throw new Error("the client port is not open");
    return address.port;
  }

  async close(graceMs: number): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#isClosing = true;
    this.#stopWatching();
    this.#cancelDismissal();
    this.#deps.handlers.onClosing();
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#unknown) socket.destroy();
    this.#servers.http1.drain();
    this.#servers.http2.drain();
    const cancelGrace = this.#deps.clock.after(graceMs, () => {
      this.#deps.logger.info(
        { connections: this.#sockets.size },
        "clients that have not finished are cut off",
      );
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    cancelGrace();
  }

  #cleartextServer(): Server {
    return net.createServer(socketOptions, (socket) => {
      this.#sniff(socket);
    });
  }

  #tlsServer(paths: TlsPaths): Server {
    const { clock, logger } = this.#deps;
    const server = tls.createServer(
      {
        ...socketOptions,
        ...secureContext(readTlsMaterial(paths)),
        ALPNProtocols: ["h2", "http/1.1"],
        requestCert: paths.trustedCaFile !== undefined,
        rejectUnauthorized: paths.trustedCaFile !== undefined,
        handshakeTimeout: this.#limits.openingTimeoutMs,
      },
      (socket) => {
        this.#onSecure(socket);
      },
    );
    server.on("tlsClientError", (error, socket) => {
      logger.debug({ err: error }, "a client's TLS handshake failed");
      // Node leaves a socket open whose handshake has only taken too long.
      socket.destroy();
    });
    this.#stopWatching = watchTlsMaterial(paths, { clock, logger }, (material) => {
      server.setSecureContext(secureContext(material));
      this.#dismissUntrusted(material);
    });
    return server;
  }

  /**
   * Clients whose certificates come from none of the authorities have been let in when others were trusted.
   * They get the answers that they wait for.
   */
  #dismissUntrusted(material: TlsMaterial): void {
    const untrusted = () => [...this.#secure].filter((socket) => !isTrusted(socket, material));
    for (const socket of untrusted()) {
      this.#servers.http1.dismiss(socket);
      this.#servers.http2.dismiss(socket);
    }
    this.#cancelDismissal();
    this.#cancelDismissal = this.#deps.clock.after(trustGraceMs, () => {
      for (const socket of untrusted()) socket.destroy();
    });
  }

  #onSecure(socket: TLSSocket): void {
    this.#secure.add(socket);
    socket.once("close", () => this.#secure.delete(socket));
    if (this.#isClosing) {
      // Its handshake was under way when the port closed.
      socket.destroy();
    } else if (socket.alpnProtocol === "h2") {
      this.#serve(socket, "http2");
    } else if (socket.alpnProtocol === "http/1.1") {
      this.#serve(socket, "http1");
    } else {
      this.#sniff(socket);
    }
  }

  #sniff(socket: Socket): void {
    this.#unknown.add(socket);
    socket.once("close", () => this.#unknown.delete(socket));
    // Whoever serves the socket listens too; before that, an error only means that the client has gone.
    socket.on("error", ignore);
    sniff(socket, { clock: this.#deps.clock, timeoutMs: this.#limits.openingTimeoutMs }, (version) => {
      this.#unknown.delete(socket);
      this.#serve(socket, version);
    });
  }

  #serve(socket: Socket, version: HttpVersion): void {
    // A client of HTTP/1.1 may close its side after its last request, and still wait for the answer.
    if (version === "http1") socket.allowHalfOpen = true;
    this.#servers[version].serve(socket);
  }
}

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };

function secureContext(material: TlsMaterial): tls.SecureContextOptions {
  return { ...material, minVersion: "TLSv1.2" };
}

function ignore(): void {}

/** A port for clients, in clear or with TLS. What they speak is the business of whoever serves them. */
import { once } from "node:events";
import net, { type Server, type Socket } from "node:net";
import type { Logger } from "pino";
import type { ListenAddress } from "../platform/address.ts";
import type { Clock } from "../platform/clock.ts";
import { type Callers, listenFailure } from "../platform/listening.ts";
import type { TlsPaths } from "../platform/tls-files.ts";
import { defaultLimits, type ListenerLimits } from "./limits.ts";
import { socketOptions } from "./sockets.ts";
import { createTlsServer, type TlsServer } from "./tls-server.ts";

type PortLimits = Pick<ListenerLimits, "maxConnections" | "openingTimeoutMs">;

export interface PortOptions {
  readonly address: ListenAddress;
  /** Whose port it is, for complaints. */
  readonly callers: Callers;
  /** Cleartext if there is none. Clients need a certificate exactly if a CA is given. */
  readonly tls: TlsPaths | undefined;
  readonly limits?: Partial<PortLimits>;
}

export interface PortDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What becomes of the clients. */
export interface Service {
  /** What those with TLS may agree upon to speak; undefined if that is not in question. */
  readonly protocols?: string[];
  /** Whether they may end their side and still get answers, from the beginning on. */
  readonly allowHalfOpen: boolean;
  /** Serves a connection that has said nothing yet; with TLS, nothing but its handshake. */
  serve(socket: Socket): void;
  /** This client is to be sent away once it has the answers that it waits for. */
  dismiss(socket: Socket): void;
  /** All are, and no more of them come. */
  drain(): void;
}

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

/** It does nothing until it is started. */
export function createPort(options: PortOptions, service: Service, deps: PortDeps): ClientListener {
  return new Port(options, service, deps);
}

class Port implements ClientListener {
  readonly #options: PortOptions;
  readonly #limits: PortLimits;
  readonly #service: Service;
  readonly #deps: PortDeps;
  /** Everything accepted and not yet closed, handshakes too. */
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #tls: TlsServer | undefined;
  #isClosing = false;

  constructor(options: PortOptions, service: Service, deps: PortDeps) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#service = service;
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { address, callers, tls } = this.#options;
    this.#tls = tls && this.#secured(tls);
    const server = this.#tls?.server ?? this.#cleartext();
    server.maxConnections = this.#limits.maxConnections;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("drop", () => {
      this.#deps.logger.warn(
        { limit: this.#limits.maxConnections, port: callers },
        "a client was turned away: too many connections",
      );
    });
    try {
      server.listen({ port: address.port, ...(address.host === undefined ? {} : { host: address.host }) });
      await once(server, "listening");
    } catch (error) {
      this.#tls?.stop();
      throw listenFailure(callers, address, error);
    }
    this.#server = server;
  }

  get port(): number {
    const address = this.#server?.address();
    if (typeof address !== "object" || address === null)
      throw new Error(`the port for ${this.#options.callers} is not open`);
    return address.port;
  }

  async close(graceMs: number): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#isClosing = true;
    this.#tls?.stop();
    const closed = once(server, "close");
    server.close();
    this.#service.drain();
    const cancelGrace = this.#deps.clock.after(graceMs, () => {
      this.#deps.logger.info(
        { connections: this.#sockets.size, port: this.#options.callers },
        "clients that have not finished are cut off",
      );
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    cancelGrace();
  }

  #cleartext(): Server {
    const { allowHalfOpen } = this.#service;
    return net.createServer({ ...socketOptions, allowHalfOpen }, (socket) => {
      this.#serve(socket);
    });
  }

  #secured(paths: TlsPaths): TlsServer {
    const { protocols, allowHalfOpen } = this.#service;
    const handshakeTimeoutMs = this.#limits.openingTimeoutMs;
    return createTlsServer(
      { paths, handshakeTimeoutMs, allowHalfOpen, ...(protocols && { protocols }) },
      {
        ...this.#deps,
        onSecure: (socket) => {
          this.#serve(socket);
        },
        onUntrusted: (socket) => {
          this.#service.dismiss(socket);
        },
      },
    );
  }

  #serve(socket: Socket): void {
    // Its handshake may have been under way when the port closed.
    if (this.#isClosing) socket.destroy();
    else this.#service.serve(socket);
  }
}

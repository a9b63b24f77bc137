/**
 * The client port: HTTP/1.1 and HTTP/2, in clear or with TLS, on one address.
 *
 * A connection's version is told by ALPN where the client took part in it, else by its first bytes. That
 * lets HTTP/2 clients in that know beforehand what they will speak and so offer no ALPN, over TLS too.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Backlog } from "@dkv/http2";
import type { Clock } from "../platform/clock.ts";
import type { Callers } from "../platform/listening.ts";
import { createHttp1Server, createHttp2Server, type HttpServer } from "./http-servers.ts";
import { defaultLimits, type ListenerLimits } from "./limits.ts";
import { type ClientListener, createPort, type PortDeps, type PortOptions, type Service } from "./port.ts";
import type { RequestHandlers } from "./request-handlers.ts";
import { type HttpVersion, sniff } from "./sniff.ts";

export interface ClientListenerOptions extends Pick<PortOptions, "address" | "tls"> {
  readonly limits?: Partial<ListenerLimits>;
  /** Whose port it is, for complaints; clients' unless said otherwise. */
  readonly callers?: Callers;
}

export interface ClientListenerDeps extends PortDeps {
  readonly handlers: RequestHandlers;
  /** Shared with other ports; one of its own unless given. */
  readonly backlog?: Backlog;
}

/** The client port of one member. It does nothing until it is started. */
export function createClientListener(
  options: ClientListenerOptions,
  deps: ClientListenerDeps,
): ClientListener {
  const limits = { ...defaultLimits, ...options.limits };
  return createPort({ callers: "clients", ...options }, new HttpService(limits, deps), deps);
}

class HttpService implements Service {
  readonly protocols = ["h2", "http/1.1"];
  readonly allowHalfOpen = false;
  readonly #clock: Clock;
  readonly #limits: ListenerLimits;
  readonly #handlers: RequestHandlers;
  readonly #servers: Readonly<Record<HttpVersion, HttpServer>>;
  /** Those of which it is not known yet what they speak. */
  readonly #unknown = new Set<Socket>();

  constructor(limits: ListenerLimits, deps: ClientListenerDeps) {
    this.#limits = limits;
    this.#clock = deps.clock;
    this.#handlers = deps.handlers;
    this.#servers = { http1: createHttp1Server(limits, deps), http2: createHttp2Server(limits, deps) };
  }

  serve(socket: Socket): void {
    const agreed = socket instanceof TLSSocket ? socket.alpnProtocol : undefined;
    if (agreed === "h2") this.#serve(socket, "http2");
    else if (agreed === "http/1.1") this.#serve(socket, "http1");
    else this.#sniff(socket);
  }

  dismiss(socket: Socket): void {
    this.#servers.http1.dismiss(socket);
    this.#servers.http2.dismiss(socket);
  }

  drain(): void {
    this.#handlers.onClosing();
    for (const socket of this.#unknown) socket.destroy();
    this.#servers.http1.drain();
    this.#servers.http2.drain();
  }

  #sniff(socket: Socket): void {
    this.#unknown.add(socket);
    socket.once("close", () => this.#unknown.delete(socket));
    // Whoever serves the socket listens too; before that, an error only means that the client has gone.
    socket.on("error", ignore);
    sniff(socket, { clock: this.#clock, timeoutMs: this.#limits.openingTimeoutMs }, (version) => {
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

function ignore(): void {}

/**
 * HTTP/1.1 and HTTP/2 for sockets that somebody else accepted, with the limits that Node leaves open.
 */
import http from "node:http";
import type { Duplex } from "node:stream";
import { Backlog, defaultSessionLimits, type Receiver, type ServerStream, Session } from "@dkv/http2";
import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import { http1Request, sendHttp1Response } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import type { ListenerLimits } from "./limits.ts";
import type { RequestHandlers } from "./request-handlers.ts";

const maxHeaderBytes = 16 * 1024;
/** Answers that wait for their clients, over all connections. */
const maxBacklogBytes = 256 * 1024 * 1024;
const endedEarly = "a call ended before its answer was sent";

export interface HttpServer {
  /** Serves a connection that has said nothing yet, or whose first bytes have been put back. */
  serve(socket: Duplex): void;
  /** Takes no more requests and ends each connection once its last answer is sent. */
  drain(): void;
  /** Tells one client to come again: its connection ends once its requests are answered. */
  dismiss(socket: Duplex): void;
}

export interface HttpServerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handlers: RequestHandlers;
  readonly backlog?: Backlog;
}

/** Of what clients do not take; ports may have one together. */
export const createBacklog = (): Backlog => new Backlog(maxBacklogBytes);

export function createHttp2Server(
  limits: ListenerLimits,
  { clock, logger, handlers, backlog = createBacklog() }: HttpServerDeps,
): HttpServer {
  const sessions = new Map<Duplex, Session>();
  const serveSlowly = (stream: ServerStream, connection: object): Receiver => {
    const exchange = new Http2Exchange(stream, connection);
    handlers
      .onRequest(exchange.request)
      .then((answer) => exchange.respond(answer))
      .catch((error: unknown) => {
        logger.debug({ err: error, path: stream.head.path }, endedEarly);
        stream.cancel();
      })
      .catch((error: unknown) => {
        logger.error({ err: error, path: stream.head.path }, "a call could not be ended");
      });
    return exchange;
  };
  const deps = {
    clock,
    limits: {
      ...defaultSessionLimits,
      maxHeaderListBytes: maxHeaderBytes,
      openingTimeoutMs: limits.openingTimeoutMs,
    },
    backlog,
    onBroken: (error: Error) => {
      logger.debug({ err: error }, "an HTTP/2 connection broke");
    },
  };
  return {
    serve(socket) {
      const handler = (stream: ServerStream): Receiver =>
        handlers.onStream(stream, socket) ?? serveSlowly(stream, socket);
      const session = new Session(socket, { ...deps, handler });
      sessions.set(socket, session);
      socket.once("close", () => sessions.delete(socket));
    },
    drain() {
      for (const session of sessions.values()) session.drain();
    },
    dismiss(socket) {
      sessions.get(socket)?.drain();
    },
  };
}

export function createHttp1Server(
  limits: ListenerLimits,
  { logger, handlers }: Omit<HttpServerDeps, "clock">,
): HttpServer {
  let isDraining = false;
  const dismissed = new WeakSet<Duplex>();
  const options: http.ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.openingTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.openingTimeoutMs),
  };
  const server = http.createServer(options, (request, response) => {
    if (dismissed.has(request.socket)) response.shouldKeepAlive = false;
    response.once("close", () => {
      if (isDraining) server.closeIdleConnections();
    });
    handlers
      .onRequest(http1Request(request, response))
      .then((answer) => sendHttp1Response(answer, response))
      .catch((error: unknown) => {
        logger.debug({ err: error, path: request.url }, endedEarly);
        response.destroy();
      });
  });
  // Node begins to look for requests that take too long when the server listens, which this one never does.
  server.emit("listening");
  return {
    serve(socket) {
      server.emit("connection", socket);
    },
    drain() {
      isDraining = true;
      server.close();
      server.closeIdleConnections();
    },
    /** The next answer says so. */
    dismiss(socket) {
      dismissed.add(socket);
    },
  };
}

/**
 * HTTP/1.1 and HTTP/2 for sockets that somebody else accepted, with the limits that Node leaves open.
 */
import http from "node:http";
import http2, { type ServerHttp2Session } from "node:http2";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { ListenerLimits } from "./limits.ts";
import type { RequestHandlers } from "./request-handlers.ts";

const mebibyte = 1024 * 1024;
const maxHeaderBytes = 16 * 1024;

export interface HttpServer {
  /** Serves a connection that has said nothing yet, or whose first bytes have been put back. */
  serve(socket: Duplex): void;
  /** Takes no more requests and ends each connection once its last answer is sent. */
  drain(): void;
}

const http2Options: http2.ServerOptions = {
  // Megabytes that one session may hold; new streams are refused above. Node's 10 are few for large values.
  maxSessionMemory: 64,
  // A client whose calls are often cancelled is normal. Node's own 1,000, then 33 a second, cost it its
  // connection; these still end a flood of resets (CVE-2023-44487). Both are needed for either to count.
  streamResetBurst: 10_000,
  streamResetRate: 1000,
  settings: { maxConcurrentStreams: 1024, initialWindowSize: mebibyte, maxHeaderListSize: maxHeaderBytes },
};

/** What a client may send on all its streams before we have read it. */
const sessionWindowBytes = 16 * mebibyte;

export function createHttp2Server(handlers: RequestHandlers, logger: Logger): HttpServer {
  const sessions = new Set<ServerHttp2Session>();
  // Neither server listens. The second one turns streams into requests, for those that want them so; a
  // server of Node's does either that for all its streams or for none.
  const compatible = http2.createServer(http2Options, (request, response) => {
    handlers.onRequest(request, response);
  });
  const server = http2.createServer(http2Options);
  server.on("stream", (stream, headers, ...rest) => {
    if (!handlers.onStream(stream, headers)) compatible.emit("stream", stream, headers, ...rest);
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.setLocalWindowSize(sessionWindowBytes);
  });
  server.on("sessionError", (error) => {
    logger.debug({ err: error }, "an HTTP/2 connection broke");
  });
  return {
    serve(socket) {
      server.emit("connection", socket);
    },
    drain() {
      for (const session of sessions) session.close();
    },
  };
}

export function createHttp1Server(handlers: RequestHandlers, limits: ListenerLimits): HttpServer {
  let isDraining = false;
  const options: http.ServerOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.openingTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.openingTimeoutMs),
  };
  const server = http.createServer(options, (request, response) => {
    response.once("close", () => {
      if (isDraining) server.closeIdleConnections();
    });
    handlers.onRequest(request, response);
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
  };
}

/** Accepts TLS with certificates from files, which are read again when they change. */
import tls, { type Server, type TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { isAllowed } from "../platform/allowed-names.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import { readTlsMaterial, type TlsMaterial, type TlsPaths, watchTlsMaterial } from "../platform/tls-files.ts";
import { isTrusted, trustGraceMs } from "../platform/trust.ts";
import { socketOptions } from "./sockets.ts";

export interface TlsServerOptions {
  readonly paths: TlsPaths;
  /** A client's handshake has so long. */
  readonly handshakeTimeoutMs: number;
  /** What clients may agree upon to speak; undefined if that is not in question. */
  readonly protocols?: string[];
  /** Whether clients may end their side and still get answers. */
  readonly allowHalfOpen: boolean;
}

export interface TlsServerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onSecure: (socket: TLSSocket) => void;
  /** A client is trusted no more: it is to be sent away, once it has the answers that it waits for. */
  readonly onUntrusted: (socket: TLSSocket) => void;
}

export interface TlsServer {
  readonly server: Server;
  /** Looks at the files no more. */
  stop(): void;
}

/** Clients need a certificate exactly if a CA is given. Throws a StartupError if a file cannot be used. */
export function createTlsServer(options: TlsServerOptions, deps: TlsServerDeps): TlsServer {
  const { paths, handshakeTimeoutMs, protocols, allowHalfOpen } = options;
  const { clock, logger, onSecure, onUntrusted } = deps;
  const secure = new Set<TLSSocket>();
  const server = tls.createServer(
    {
      ...socketOptions,
      ...readTlsMaterial(paths),
      ...(protocols && { ALPNProtocols: protocols }),
      allowHalfOpen,
      requestCert: paths.trustedCaFile !== undefined,
      rejectUnauthorized: paths.trustedCaFile !== undefined,
      handshakeTimeout: handshakeTimeoutMs,
    },
    (socket) => {
      if (paths.allowed !== undefined && !isAllowed(socket.getPeerCertificate(), paths.allowed)) {
        logger.debug("a client's certificate has none of the names that are allowed");
        socket.destroy();
        return;
      }
      secure.add(socket);
      socket.once("close", () => secure.delete(socket));
      onSecure(socket);
    },
  );
  server.on("tlsClientError", (error, socket) => {
    logger.debug({ err: error }, "a client's TLS handshake failed");
    // Node leaves a socket open whose handshake has only taken too long.
    socket.destroy();
  });
  let cancelDismissal: Cancel = () => {};
  /**
   * Clients whose certificates come from none of the authorities have been let in when others were trusted.
   * They get the answers that they wait for.
   */
  const dismissUntrusted = (material: TlsMaterial): void => {
    const untrusted = () => [...secure].filter((socket) => !isTrusted(socket, material));
    for (const socket of untrusted()) onUntrusted(socket);
    cancelDismissal();
    cancelDismissal = clock.after(trustGraceMs, () => {
      for (const socket of untrusted()) socket.destroy();
    });
  };
  const stopWatching = watchTlsMaterial(paths, { clock, logger }, (material) => {
    server.setSecureContext(material);
    dismissUntrusted(material);
  });
  return {
    server,
    stop() {
      stopWatching();
      cancelDismissal();
    },
  };
}

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";

import { abortable } from "./abortable.ts";
import { type ConnectFailure, explain } from "./connect-failure.ts";
import { type Endpoint, formatEndpoint } from "./endpoints.ts";
import { Session } from "./session.ts";
import { hasClientCertificate, loadTls, type TlsOptions } from "./tls.ts";

/** Nothing was sent: the connection closed before the request could be put on it. */
export class NotSent extends Error {
  override readonly name = "NotSent";
}

/** No connection could be made, and `failure` says why. Nothing was sent. */
export class NotConnected extends Error {
  override readonly name = "NotConnected";
  readonly failure: ConnectFailure;

  constructor(failure: ConnectFailure, options?: ErrorOptions) {
    super(failure.phrase, options);
    this.failure = failure;
  }
}

/** An attempt that takes longer than this is given up even if somebody would wait on. */
const connectTimeoutMs = 20_000;

/**
 * One HTTP/2 connection to one member, made when needed and made anew after it broke.
 *
 * It counts as made only once the member's SETTINGS frame is here. Until then nothing is sent, so that
 * every failure to get through TLS (a refused client certificate shows only after the handshake in TLS
 * 1.3) and every mute or foreign server is known to have applied nothing.
 *
 * Has the shape that connect-node asks of a session manager.
 */
export class Connection {
  readonly endpoint: Endpoint;
  readonly authority: string;
  readonly #tls: TlsOptions | undefined;
  #session: Session | undefined;
  /** All that are not gone: besides the one in use those that were given up, or told to take no more. */
  readonly #sessions = new Set<Session>();
  #dialling: ClientHttp2Session | undefined;
  #opening: Promise<void> | undefined;
  #isClosed = false;

  constructor(endpoint: Endpoint, tls: TlsOptions | undefined) {
    this.endpoint = endpoint;
    this.authority = new URL(`${tls === undefined ? "http" : "https"}://${formatEndpoint(endpoint)}`).origin;
    this.#tls = tls;
  }

  /**
   * Makes the connection unless it is there. @throws NotConnected, DkvClientError `bad_configuration`, the
   * signal's reason
   */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#usable() !== undefined) return;
    this.#opening ??= this.#dial().finally(() => {
      this.#opening = undefined;
    });
    await abortable(this.#opening, signal);
  }

  /** Takes no more requests, so that the next one makes a new connection; those under way may finish. */
  retire(): void {
    this.#session?.retire();
    this.#session = undefined;
  }

  /** Ends everything at once. */
  close(): void {
    this.#isClosed = true;
    this.#dialling?.destroy();
    for (const session of this.#sessions) session.destroy();
    this.#session = undefined;
  }

  state(): "closed" | "open" {
    return this.#usable() === undefined ? "closed" : "open";
  }

  async connect(): Promise<"open" | "error"> {
    return Promise.resolve(this.#usable() === undefined ? "error" : "open");
  }

  /** Starts a request on the connection that {@link open} made. @throws NotSent */
  async request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    const session = this.#usable();
    if (session === undefined) throw new NotSent("the connection closed before the request was sent");
    try {
      return await Promise.resolve(session.request({ ...headers, ":method": method, ":path": path }));
    } catch (error) {
      throw new NotSent("the connection took no more requests", { cause: error });
    }
  }

  /** Part of connect-node's interface; only a manager that pings needs to know. */
  notifyResponseByteRead(): void {}

  abort(): void {
    this.retire();
  }

  #usable(): Session | undefined {
    return this.#session?.isUsable === true ? this.#session : undefined;
  }

  async #dial(): Promise<void> {
    const secureContext = this.#tls === undefined ? undefined : await loadTls(this.#tls);
    if (this.#isClosed) throw new NotSent("the client is closed");
    const socket = openSocket(this.endpoint, secureContext);
    const session = connect(this.authority, { createConnection: () => socket });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // The listeners stay for good: an error that nobody listens to would end the process.
    let lastError: unknown;
    session.on("error", (error) => {
      lastError = error;
    });
    // Node keeps a TLS alert that comes after the handshake from the session.
    socket.on("error", (error) => {
      reject(error);
      session.destroy();
    });
    session.once("close", () => {
      reject(lastError);
    });
    session.once("remoteSettings", () => {
      resolve();
    });
    session.setTimeout(connectTimeoutMs, () => {
      session.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
    });
    this.#dialling = session;
    try {
      await promise;
    } catch (error) {
      throw new NotConnected(await this.#explain(error), { cause: error });
    } finally {
      this.#dialling = undefined;
    }
    session.setTimeout(0);
    this.#use(session, socket);
  }

  #use(http2: ClientHttp2Session, socket: Socket): void {
    const session = new Session(http2, socket);
    this.#sessions.add(session);
    http2.once("close", () => this.#sessions.delete(session));
    if (this.#isClosed) session.destroy();
    this.#session = session;
  }

  async #explain(error: unknown): Promise<ConnectFailure> {
    return explain(error, {
      endpoint: this.endpoint,
      isSecure: this.#tls !== undefined,
      hasClientCertificate: this.#tls !== undefined && hasClientCertificate(this.#tls),
    });
  }
}

function openSocket({ host, port }: Endpoint, secureContext: SecureContext | undefined): Socket {
  const address = { host, port, keepAlive: true };
  if (secureContext === undefined) return connectTcp(address);
  // An IP address is no server name (RFC 6066 §3); the certificate is checked against it all the same.
  return connectTls({
    ...address,
    secureContext,
    ALPNProtocols: ["h2"],
    ...(isIP(host) === 0 && { servername: host }),
  });
}

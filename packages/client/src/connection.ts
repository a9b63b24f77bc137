import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { PassThrough, pipeline } from "node:stream";
import { connect as connectTls, type SecureContext } from "node:tls";

import { abortable } from "./abortable.ts";
import { type ConnectFailure, explain } from "./connect-failure.ts";
import { type Endpoint, formatEndpoint } from "./endpoints.ts";
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
  #session: ClientHttp2Session | undefined;
  #dialling: ClientHttp2Session | undefined;
  #opening: Promise<ClientHttp2Session> | undefined;
  /** Requests under way on each session that is still in use. */
  readonly #streams = new WeakMap<ClientHttp2Session, number>();
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
    this.#session?.close();
    this.#session = undefined;
  }

  /** Ends everything at once. */
  close(): void {
    this.#isClosed = true;
    this.#dialling?.destroy();
    this.#session?.destroy();
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
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({ ...headers, ":method": method, ":path": path });
    } catch (error) {
      throw new NotSent("the connection took no more requests", { cause: error });
    }
    this.#keepAwake(session, stream);
    readAtOnce(stream);
    return Promise.resolve(stream);
  }

  /** Part of connect-node's interface; only a manager that pings needs to know. */
  notifyResponseByteRead(): void {}

  abort(): void {
    this.retire();
  }

  /** An idle connection does not keep a program from ending; a request under way does. */
  #keepAwake(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    const count = (change: 1 | -1): number => {
      const streams = (this.#streams.get(session) ?? 0) + change;
      this.#streams.set(session, streams);
      return streams;
    };
    count(1);
    session.ref();
    stream.once("close", () => {
      if (count(-1) === 0 && !session.destroyed) session.unref();
    });
  }

  #usable(): ClientHttp2Session | undefined {
    const session = this.#session;
    return session === undefined || session.closed || session.destroyed ? undefined : session;
  }

  async #dial(): Promise<ClientHttp2Session> {
    const secureContext = this.#tls === undefined ? undefined : await loadTls(this.#tls);
    if (this.#isClosed) throw new NotSent("the client is closed");
    const socket = openSocket(this.endpoint, secureContext);
    const session = connect(this.authority, { createConnection: () => socket });
    const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
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
      if (this.#session === session) this.#session = undefined;
      reject(lastError);
    });
    session.once("remoteSettings", () => {
      this.#session = session;
      resolve(session);
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
    session.unref();
    return session;
  }

  async #explain(error: unknown): Promise<ConnectFailure> {
    return explain(error, {
      endpoint: this.endpoint,
      isSecure: this.#tls !== undefined,
      hasClientCertificate: this.#tls !== undefined && hasClientCertificate(this.#tls),
    });
  }
}

/**
 * An answer may arrive as a whole before anybody reads it. HTTP/2 has closed its stream then, and Node takes
 * that for an answer that broke off (ERR_STREAM_PREMATURE_CLOSE), unless reading it had begun before.
 */
function readAtOnce(stream: ClientHttp2Stream): void {
  const body = pipeline(stream, new PassThrough(), () => undefined);
  stream[Symbol.asyncIterator] = () => body[Symbol.asyncIterator]();
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

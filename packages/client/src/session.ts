import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";

import { every } from "./platform/time.ts";

/** How often a session that is asked something looks whether it still hears the member. */
const defaultBeatMs = 1000;

/**
 * So many beats without a sign of life, with a ping after the first, and the connection is over. The ping
 * waits behind what is being sent, and a large request takes its time on a slow line.
 */
const silentBeats = 10;

/**
 * An HTTP/2 session that is established, with its socket and the requests under way on it.
 *
 * That its member is gone is not always told: a machine without power says nothing. Nor does Node, once in a
 * while, when it writes through TLS just as the connection breaks: the error of that write is lost, reading
 * stays stopped for the time of the write, and that lasts for ever. So the session listens for itself; and in
 * the end session and socket are both destroyed, for what is left in that state fills the memory when the
 * process ends.
 */
export class Session {
  readonly #http2: ClientHttp2Session;
  readonly #socket: Socket;
  #requests = 0;
  #isRetired = false;
  /** Read by the last beat. */
  #bytesHeard = 0;
  #beatsSilent = 0;

  constructor(http2: ClientHttp2Session, socket: Socket, beatMs = defaultBeatMs) {
    this.#http2 = http2;
    this.#socket = socket;
    const stop = every(beatMs, () => {
      this.#listen();
    });
    http2.unref();
    http2.once("close", stop);
  }

  /** Whether it takes requests. */
  get isUsable(): boolean {
    return !this.#isRetired && !this.#http2.closed && !this.#http2.destroyed;
  }

  /** Throws if the session takes no more requests. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#http2.request(headers);
    if (this.#requests === 0) this.#beatsSilent = 0;
    this.#requests += 1;
    // An idle connection does not keep a program from ending; a request under way does.
    this.#http2.ref();
    stream.once("close", () => {
      this.#ended();
    });
    readAtOnce(stream);
    return stream;
  }

  /** Takes no more requests. Those under way may finish, then it is destroyed. */
  retire(): void {
    this.#isRetired = true;
    if (this.#requests === 0) this.destroy();
  }

  /** Ends everything at once. */
  destroy(error?: Error): void {
    this.#http2.destroy(error);
    this.#socket.destroy();
  }

  #ended(): void {
    this.#requests -= 1;
    if (this.#requests > 0) return;
    if (this.#isRetired || this.#http2.destroyed) this.destroy();
    else this.#http2.unref();
  }

  #listen(): void {
    const { bytesRead } = this.#socket;
    const isSilent = this.#requests > 0 && bytesRead === this.#bytesHeard;
    this.#bytesHeard = bytesRead;
    this.#beatsSilent = isSilent ? this.#beatsSilent + 1 : 0;
    if (this.#beatsSilent === 1) this.#http2.ping(() => undefined);
    if (this.#beatsSilent < silentBeats) return;
    this.destroy(Object.assign(new Error("no sign of life from the member"), { code: "ECONNRESET" }));
  }
}

/**
 * An answer may arrive as a whole before anybody reads it. HTTP/2 has closed its stream then, and Node takes
 * that for an answer that broke off (ERR_STREAM_PREMATURE_CLOSE), unless reading it had begun before.
 *
 * The stream itself is closed, and never destroyed: a stream that is destroyed by who hears of its closing,
 * as stream.pipeline does, is forgotten before its RST_STREAM is made. If its HEADERS are still to be sent
 * then, Node sends empty DATA frames without end.
 */
function readAtOnce(stream: ClientHttp2Stream): void {
  const body = new PassThrough();
  stream.pipe(body);
  stream.once("error", (error: Error) => {
    body.destroy(error);
  });
  stream.once("close", () => {
    if (!stream.readableEnded) body.destroy(brokenOff());
  });
  body.once("error", () => undefined);
  // Whoever reads has had enough. What has an end needs none: the request may go on.
  body.once("close", () => {
    if (!body.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  });
  stream[Symbol.asyncIterator] = () => body[Symbol.asyncIterator]();
}

const brokenOff = (): Error =>
  Object.assign(new Error("the answer broke off"), { code: "ERR_STREAM_PREMATURE_CLOSE" });

import { encodeHeaderBlock, type Header, type Receiver, type ServerStream } from "@dkv/http2";
import { GrowingBuffer } from "../platform/growing-buffer.ts";
import type { HttpRequest, HttpResponse } from "./request-handlers.ts";

/**
 * One request of HTTP/2, in the form that handlers know.
 *
 * The client may send as much again as was read of the body, so a handler that does not read holds it back.
 */
export class Http2Exchange implements Receiver {
  readonly request: HttpRequest;
  readonly #stream: ServerStream;
  readonly #gone = new AbortController();
  /** What came of the body and was not read. */
  readonly #unread = new GrowingBuffer();
  #hasWholeBody = false;
  /** Whether the answer is complete, or will never be. */
  #isOver = false;
  /** Wakes who waits for the body, or for the client to take what was sent. */
  #wakeReader: () => void = ignore;
  #wakeWriter: () => void = ignore;

  /** @param connection the same object for all streams of one */
  constructor(stream: ServerStream, connection: object) {
    const { method, scheme, authority, path, fields } = stream.head;
    this.#stream = stream;
    this.request = {
      httpVersion: "2.0",
      method,
      scheme: scheme === "https" ? "https" : "http",
      authority,
      target: path,
      header: new Headers([...fields]),
      connection,
      body: this.#body(),
      signal: this.#gone.signal,
      abandon: () => {
        stream.cancel();
        this.onAbort();
      },
    };
  }

  onData(chunk: Buffer): void {
    this.#unread.append(chunk);
    this.#wakeReader();
  }

  onEnd(last: Buffer): void {
    this.#unread.append(last);
    this.#hasWholeBody = true;
    this.#wakeReader();
  }

  onAbort(): void {
    this.#gone.abort();
    this.#endBody();
    this.#wakeWriter();
  }

  onDrain(): void {
    this.#wakeWriter();
  }

  /** Rejects if the client goes before it has the answer, or if the answer fails while it is made. */
  async respond({ status, header, body, trailer }: HttpResponse): Promise<void> {
    const parts = body?.[Symbol.asyncIterator]();
    try {
      let part = await parts?.next();
      const headers = encodeHeaderBlock([[":status", String(status)], ...listOf(header)]);
      // An answer to HEAD has the header of one to GET, and nothing else. Source: RFC 9110 §9.3.2.
      if (this.request.method === "HEAD" || (part === undefined && trailer === undefined)) {
        this.#stream.answerBriefly(headers);
        return;
      }
      this.#stream.begin(headers);
      for (; part !== undefined && part.done !== true; part = await parts?.next()) {
        await this.#write(part.value);
      }
      const trailers = listOf(trailer);
      this.#stream.end(trailers.length === 0 ? undefined : encodeHeaderBlock(trailers));
    } catch (error) {
      // Whoever makes the answer shall stop; how that goes changes nothing any more.
      parts?.throw?.(error)?.catch(ignore);
      throw error;
    } finally {
      parts?.return?.().catch(ignore);
      this.#endBody();
    }
  }

  /** Lets go of what was not read; whoever still waits for more need not. */
  #endBody(): void {
    this.#isOver = true;
    this.#unread.take();
    this.#wakeReader();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#stream.isOpen) throw new Error("the client has gone");
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#stream.write(buffer) === "sent") return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeWriter = resolve;
    await promise;
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#gone.signal.aborted) throw new Error("the client went before its request was complete");
      if (this.#isOver) throw new Error("the request was answered before it was complete");
      if (this.#unread.length > 0) {
        const chunk = this.#unread.take();
        yield chunk;
        // Not before: until the reader comes back, it may hold the chunk.
        this.#stream.release(chunk.length);
      } else if (this.#hasWholeBody) {
        return;
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wakeReader = resolve;
        await promise;
      }
    }
  }
}

function listOf(headers: Headers | undefined): readonly Header[] {
  return headers === undefined ? [] : [...headers];
}

function ignore(): void {}

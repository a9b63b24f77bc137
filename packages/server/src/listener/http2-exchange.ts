import { encodeHeaderBlock, type Header, type Receiver, type ServerStream } from "@dkv/http2";
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
  readonly #chunks: Buffer[] = [];
  #hasWholeBody = false;
  /** Wakes who waits for the body, or for the client to take what was sent. */
  #wakeReader: () => void = ignore;
  #wakeWriter: () => void = ignore;

  constructor(stream: ServerStream) {
    const { method, scheme, authority, path, fields } = stream.head;
    this.#stream = stream;
    this.request = {
      httpVersion: "2.0",
      method,
      scheme: scheme === "https" ? "https" : "http",
      authority,
      target: path,
      header: new Headers([...fields]),
      body: this.#body(),
      signal: this.#gone.signal,
      abandon: () => {
        stream.cancel();
        this.onAbort();
      },
    };
  }

  onData(chunk: Buffer): void {
    // A copy: the chunk may be a small part of memory that would be held as long.
    this.#chunks.push(Buffer.from(chunk));
    this.#wakeReader();
  }

  onEnd(last: Buffer): void {
    if (last.length > 0) this.#chunks.push(Buffer.from(last));
    this.#hasWholeBody = true;
    this.#wakeReader();
  }

  onAbort(): void {
    this.#gone.abort();
    this.#wakeReader();
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
      if (part === undefined && trailer === undefined) {
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
    }
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
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#stream.release(chunk.length);
        yield chunk;
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

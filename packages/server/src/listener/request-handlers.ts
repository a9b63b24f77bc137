import type { Receiver, ServerStream } from "@dkv/http2";

/** A request of either version of HTTP, for handlers that need not know which. */
export interface HttpRequest {
  readonly httpVersion: string;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Undefined if the client named no host. It may be anything that the client says. */
  readonly authority: string | undefined;
  /** Path and query. */
  readonly target: string;
  readonly header: Headers;
  /** The same object for all requests of one connection. */
  readonly connection: object;
  /** Fails when the client goes. Need not be read, or not to its end. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the client does not want the answer any more. */
  readonly signal: AbortSignal;
  /** Ends a request that is not worth an answer; its body fails. */
  abandon(): void;
}

/** Header and trailer are read when the first part of the body, and its end, are there. */
export interface HttpResponse {
  readonly status: number;
  readonly header?: Headers;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly trailer?: Headers;
}

/** Who answers what arrives on the client port. */
export interface RequestHandlers {
  /**
   * Sees every request of HTTP/2 first. Returns who receives it; if nobody does, `onRequest` answers.
   *
   * @param connection the same object for all requests of one
   */
  onStream(stream: ServerStream, connection: object): Receiver | undefined;
  /** Answers a request of HTTP/1.1 or HTTP/2. A rejection cuts the client off. */
  onRequest(request: HttpRequest): Promise<HttpResponse>;
  /** The port is about to close: ends the calls that would not end on their own. */
  onClosing(): void;
}

import type { IncomingMessage, ServerResponse } from "node:http";
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Who answers what arrives on the client port. */
export interface RequestHandlers {
  /** Sees every HTTP/2 stream first. Returns whether it answers it; if not, `onRequest` does. */
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
  /** Answers a request of HTTP/1.1 or HTTP/2. Must not throw. */
  onRequest(request: NodeRequest, response: NodeResponse): void;
  /** The port is about to close: ends the calls that would not end on their own. */
  onClosing(): void;
}

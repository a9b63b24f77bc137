import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { HttpRequest, HttpResponse } from "./request-handlers.ts";

/** One request of Node's HTTP/1.1 server, in the form that handlers know. */
export function http1Request(request: IncomingMessage, response: ServerResponse): HttpRequest {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? "",
    scheme: request.socket instanceof TLSSocket ? "https" : "http",
    authority: request.headers.host,
    target: request.url ?? "",
    header: headersOf(request),
    connection: request.socket,
    body: bodyOf(request),
    signal: gone.signal,
    abandon: () => request.destroy(),
  };
}

/** Rejects if the client goes before it has the answer. */
export async function sendHttp1Response(answer: HttpResponse, response: ServerResponse): Promise<void> {
  await universalResponseToNodeResponse(answer, response);
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  return headers;
}

/**
 * The body of a request. One that is not read to its end stays usable: Node would cut the client off, or
 * leave it waiting to be read, and either way it would not see why it was refused.
 */
async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk;
  } finally {
    // HTTP/1.1 has no way to stop a client that sends; the time for a request ends it.
    request.resume();
  }
}

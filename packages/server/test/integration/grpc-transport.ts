/** How tests reach a member by gRPC with TLS and without dkv's own client. */
import type { ClientHttp2Stream } from "node:http2";
import { PassThrough } from "node:stream";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

export function grpcTransport(clientAddress: string, ca: Buffer): Transport {
  const baseUrl = `https://${clientAddress}`;
  const sessionManager = new Http2SessionManager(baseUrl, undefined, { ca });
  const request = sessionManager.request.bind(sessionManager);
  sessionManager.request = async (...terms) => readAtOnce(await request(...terms));
  return createGrpcTransport({ baseUrl, sessionManager });
}

/**
 * An answer may arrive as a whole before connect-node begins to read it; Node takes that for one that broke
 * off. So reading begins with the request.
 */
function readAtOnce(stream: ClientHttp2Stream): ClientHttp2Stream {
  const body = stream.pipe(new PassThrough());
  body.on("error", () => undefined);
  stream.once("error", (error: Error) => {
    body.destroy(error);
  });
  stream.once("close", () => {
    if (!stream.readableEnded) body.destroy(new Error("the answer broke off"));
  });
  stream[Symbol.asyncIterator] = () => body[Symbol.asyncIterator]();
  return stream;
}

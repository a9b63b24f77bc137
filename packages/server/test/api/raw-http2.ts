import { once } from "node:events";
import http2, {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  /** Empty if all was said in the headers. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends the pieces of a body one after the other on a stream of its own, and collects the answer. */
export async function rawCall(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  pieces: readonly Uint8Array[],
): Promise<RawAnswer> {
  const stream = session.request({
    ":method": "POST",
    te: "trailers",
    "content-type": "application/grpc",
    ...headers,
  });
  let answer: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (received) => {
    answer = received;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = once(stream, "close");
  for (const piece of pieces) {
    // Each piece in a frame of its own.
    await new Promise((resolve) => stream.write(piece, resolve));
  }
  stream.end();
  await closed;
  return { headers: answer, trailers, body: Buffer.concat(chunks) };
}

/** A gRPC frame around a message. */
export function frame(message: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The message in a body of exactly one frame. */
export function unframe<Schema extends DescMessage>(schema: Schema, body: Buffer): MessageShape<Schema> {
  if (body.readUInt8(0) !== 0 || body.readUInt32BE(1) !== body.length - 5)
    throw new Error("not one plain frame");
  return fromBinary(schema, body.subarray(5));
}

/** The grpc-status of an answer, wherever it stands. */
export function statusOf({ headers, trailers }: RawAnswer): number {
  return Number(trailers["grpc-status"] ?? headers["grpc-status"]);
}

export async function connectHttp2(
  url: string,
  options: http2.SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = http2.connect(url, options);
  await once(session, "connect");
  return session;
}

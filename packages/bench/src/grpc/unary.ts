import type { Header } from "@dkv/http2";
import type { Connection } from "../http2/connection.ts";
import { dial, type Target } from "../http2/dial.ts";
import { frameMessage, requestHeaders, unframeMessage } from "./message.ts";
import { StatusReader } from "./status.ts";

/** One call that is made outside a measured load. */
export interface UnaryRequest {
  readonly headers: readonly Header[];
  /** The message with its prefix. */
  readonly body: Buffer;
}

const statuses = new StatusReader();

/** Makes one call and returns the answer's message. Rejects on any failure. */
export async function call(connection: Connection, { headers, body }: UnaryRequest): Promise<Buffer> {
  const parts: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  connection.start({
    headers,
    bodyBytes: body.length,
    writeBody: (output, offset) => {
      output.set(body, offset);
    },
    onData: (source, start, end) => void parts.push(Buffer.from(source.subarray(start, end))),
    onEnd: (source, start, end) => {
      const { code, message } = statuses.read(source, start, end);
      if (code === 0) ended.resolve();
      else ended.reject(new Error(`gRPC status ${code ?? "missing"}: ${message}`));
    },
    onFailure: (reason) => {
      ended.reject(new Error(reason));
    },
  });
  connection.flush();
  await ended.promise;
  return unframeMessage(Buffer.concat(parts));
}

/** Makes one call on a connection of its own, with a limit on the time it takes. */
export async function callOnce(
  target: Target,
  request: { readonly path: string; readonly message: Uint8Array; readonly timeoutMs: number },
): Promise<Buffer> {
  const { connection, close } = await dial(target, AbortSignal.timeout(request.timeoutMs));
  try {
    const headers = requestHeaders(target, request.path);
    return await call(connection, { headers, body: frameMessage(request.message) });
  } finally {
    close();
  }
}

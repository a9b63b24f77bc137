import type { Header } from "@dkv/http2";
import { frameMessage, requestHeaders, unframeMessage } from "../grpc/message.ts";
import { StatusReader } from "../grpc/status.ts";
import type { Connection } from "../http2/connection.ts";
import type { Target } from "../http2/dial.ts";

/** A call whose answer may be large, or long in coming. */
export interface LongRequest {
  readonly path: string;
  readonly message: Uint8Array;
  /** In which the member is to answer; its own default unless given. */
  readonly timeoutSeconds?: number;
}

const statuses = new StatusReader();

/** Resolves to the answer's message. Rejects on any failure. */
export async function longCall(
  connection: Connection,
  target: Target,
  { path, message, timeoutSeconds }: LongRequest,
): Promise<Buffer> {
  const timeout: readonly Header[] =
    timeoutSeconds === undefined ? [] : [["grpc-timeout", `${timeoutSeconds}S`]];
  const parts: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  const upload = connection.open({
    headers: [...requestHeaders(target, path), ...timeout],
    onData: (source, start, end) => void parts.push(Buffer.from(source.subarray(start, end))),
    onEnd: (source, start, end) => {
      const status = statuses.read(source, start, end);
      if (status.code === 0) ended.resolve();
      else ended.reject(new Error(`gRPC status ${status.code ?? "missing"}: ${status.message}`));
    },
    onFailure: (reason) => {
      ended.reject(new Error(reason));
    },
  });
  upload.send(frameMessage(message));
  upload.end();
  connection.flush();
  await ended.promise;
  return unframeMessage(Buffer.concat(parts));
}

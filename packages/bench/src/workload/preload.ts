import { requestHeaders } from "../grpc/message.ts";
import { call } from "../grpc/unary.ts";
import { dial, type Target } from "../http2/dial.ts";
import { type Data, type Method, RequestBody } from "./work.ts";

const writers = 64;

/** Sets every key once, so that reads find a value. Rejects at the first failure. */
export async function preload(
  target: Target,
  { set, data, signal }: { readonly set: Method; readonly data: Data; readonly signal: AbortSignal },
): Promise<void> {
  const headers = requestHeaders(target, set.path);
  const request = new RequestBody(set, data);
  const { connection, close } = await dial(target, signal);
  const keys = data.keys.values();
  const write = async (): Promise<void> => {
    // The writers share the iterator, so each key is taken once.
    for (const key of keys) {
      const body = Buffer.alloc(request.bytes);
      request.write(body, 0, key);
      await call(connection, { headers, body });
    }
  };
  try {
    await Promise.all(Array.from({ length: writers }, write));
  } finally {
    close();
  }
}

import { requestHeaders } from "../grpc/message.ts";
import { call } from "../grpc/unary.ts";
import { dial, type Target } from "../http2/dial.ts";
import { insist } from "./insist.ts";
import { type Data, type Method, RequestBody } from "./work.ts";

const writersPerConnection = 64;

export interface Preload {
  readonly set: Method;
  readonly data: Data;
  readonly signal: AbortSignal;
  /** 1 unless given; each has 64 calls open. */
  readonly connections?: number;
  /** All keys of the data, once, unless given. */
  readonly keys?: Iterable<Buffer>;
  /** Called after each key. */
  readonly onSet?: () => void;
}

/** Sets every key, so that reads find a value. Rejects when a key is refused again and again. */
export async function preload(target: Target, plan: Preload): Promise<void> {
  // The connections share the iterator, so each key is taken once.
  const keys = (plan.keys ?? plan.data.keys)[Symbol.iterator]();
  await Promise.all(Array.from({ length: plan.connections ?? 1 }, () => write(target, keys, plan)));
}

async function write(target: Target, keys: Iterator<Buffer>, plan: Preload): Promise<void> {
  const headers = requestHeaders(target, plan.set.path);
  const request = new RequestBody(plan.set, plan.data);
  const { connection, close } = await dial(target, plan.signal);
  const writeKeys = async (): Promise<void> => {
    for (let next = keys.next(); next.done !== true; next = keys.next()) {
      const key = next.value;
      const body = Buffer.alloc(request.bytes);
      request.write(body, 0, key);
      await insist(() => call(connection, { headers, body }), plan.signal);
      plan.onSet?.();
    }
  };
  try {
    await Promise.all(Array.from({ length: writersPerConnection }, writeKeys));
  } finally {
    close();
  }
}

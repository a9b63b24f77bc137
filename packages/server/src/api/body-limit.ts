/**
 * Bounds what Connect reads of a request: bytes of one message, memory over all requests, and time.
 *
 * Connect has a limit of its own, but reports it in its own words and with another status than dkv gives
 * to a request that is too large.
 */
import type { Clock } from "../platform/clock.ts";
import type { BodyBudget } from "./body-budget.ts";

export interface BodyLimit {
  /** Most bytes of the message. */
  readonly maxBytes: number;
  /** Whether the message has a prefix of five bytes that tells its length, as in gRPC. */
  readonly hasPrefix: boolean;
  /** What the body throws when it is larger. */
  readonly tooLarge: () => Error;
  readonly timeoutMs: number;
  /** Called when the body is not complete in time; must make it end. */
  readonly onTimeout: () => void;
}

const prefixBytes = 5;

/** The same body, for a request that has one message. Throws, while it is read, when a limit is passed. */
export async function* limitBody(
  body: AsyncIterable<Uint8Array>,
  limit: BodyLimit,
  { clock, budget }: { readonly clock: Clock; readonly budget: BodyBudget },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const prefix = Buffer.alloc(prefixBytes);
  const cancelTimeout = clock.after(limit.timeoutMs, limit.onTimeout);
  try {
    for await (const chunk of body) {
      budget.take(chunk.length);
      if (limit.hasPrefix && bytes < prefixBytes) prefix.set(chunk.subarray(0, prefixBytes - bytes), bytes);
      bytes += chunk.length;
      const declaredBytes = limit.hasPrefix && bytes >= prefixBytes ? prefix.readUInt32BE(1) : 0;
      if (Math.max(declaredBytes, bytes - prefixBytes) > limit.maxBytes) throw limit.tooLarge();
      yield chunk;
    }
  } finally {
    cancelTimeout();
    budget.release(bytes);
  }
}

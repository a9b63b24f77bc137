/**
 * Bounds what Connect reads of a request: bytes of one message, memory over all requests, and time.
 *
 * Connect has a limit of its own, but reports it in its own words and with another status than dkv gives
 * to a request that is too large. It also keeps what it reads in the pieces in which it came, so it is given
 * messages in one piece.
 */
import type { Cancel, Clock } from "../platform/clock.ts";
import { ArrivingMessage, type BudgetAccount, type MessageLimit } from "./arriving-message.ts";

export interface BodyLimit extends MessageLimit {
  /**
   * What must be complete in time: a request of one message, or each message from its first byte on, where
   * there may be any number and any pause between them.
   */
  readonly timed: "request" | "message";
  readonly timeoutMs: number;
  /** Called when that is not complete in time; must make the body end. */
  readonly onTimeout: () => void;
}

export interface BodyLimitDeps extends BudgetAccount {
  readonly clock: Clock;
}

/** The same body, a message at a time. Throws, while it is read, when a limit is passed. */
export async function* limitBody(
  body: AsyncIterable<Uint8Array>,
  limit: BodyLimit,
  deps: BodyLimitDeps,
): AsyncGenerator<Uint8Array> {
  const message = new ArrivingMessage(limit, deps);
  let cancelTimeout: Cancel | undefined;
  const superviseTime = (): void => {
    if (limit.timed === "message" && message.length === 0) return;
    cancelTimeout ??= deps.clock.after(limit.timeoutMs, limit.onTimeout);
  };
  // Nothing is held while the reader has a message: it may never come back for the next one.
  const letGo = (): Uint8Array => {
    cancelTimeout?.();
    cancelTimeout = undefined;
    return message.take();
  };
  try {
    superviseTime();
    for await (const chunk of body) {
      for (let rest = chunk; rest.length > 0; ) {
        const piece = rest.subarray(0, message.missingBytes);
        rest = rest.subarray(piece.length);
        message.append(piece);
        if (message.missingBytes === 0) yield letGo();
      }
      superviseTime();
    }
    if (message.length > 0) yield letGo();
  } finally {
    letGo();
  }
}

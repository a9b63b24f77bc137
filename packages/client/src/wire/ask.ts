/** What all calls have in common. */
import type { DkvClientError } from "../errors.ts";
import { translate } from "./errors.ts";

/** How long the caller waits. */
export interface CallLimits {
  /** Aborted when the caller stops waiting. */
  readonly signal: AbortSignal;
  /** Told to the member, which gives up by itself then and says what it knows. */
  readonly timeoutMs: number;
}

/** For Connect. */
export interface SendOptions {
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
}

export interface Ask {
  /** Sends one request, and gives its answer. */
  readonly once: <Answer>(
    limits: CallLimits,
    send: (options: SendOptions) => Promise<Answer>,
  ) => Promise<Answer>;
  /** The error in words of this client. */
  readonly explain: (error: unknown) => DkvClientError;
}

/** @param endpoint of the member, for messages */
export function createAsk(endpoint: string): Ask {
  const explain = (error: unknown): DkvClientError => translate(error, endpoint);
  return {
    explain,
    once: async (limits, send) => {
      try {
        // Not Connect's own timeoutMs: it would end the call here at the moment at which the member ends it
        // there, and the member's answer is the better one.
        return await send({
          signal: limits.signal,
          headers: { "grpc-timeout": `${Math.max(1, Math.floor(limits.timeoutMs))}m` },
        });
      } catch (error) {
        limits.signal.throwIfAborted();
        throw explain(error);
      }
    },
  };
}

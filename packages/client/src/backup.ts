/** A backup as it comes from a member. */
import { abortable } from "./abortable.ts";
import { DkvClientError } from "./errors.ts";
import { limitedSignal } from "./platform/time.ts";
import { formatDuration } from "./retry.ts";
import type { OpenStream } from "./stream.ts";

export interface ReadingLimits {
  /** Between one piece and the next. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Aborted when the client is closed. */
  readonly closed: AbortSignal;
}

/** All pieces, as fast as they are taken; `return()` ends them at any time. @throws DkvClientError */
export async function readPieces(
  pieces: OpenStream<Uint8Array>,
  limits: ReadingLimits,
): Promise<AsyncGenerator<Uint8Array>> {
  const reading = readBegun(pieces, limits);
  // A generator of which nothing was taken yet ends without its `finally`: the first step is taken here.
  await reading.next();
  return reading;
}

/** Nothing at first. */
async function* readBegun(pieces: OpenStream<Uint8Array>, limits: ReadingLimits): AsyncGenerator<Uint8Array> {
  const { timeoutMs, signal, closed } = limits;
  const stops = signal === undefined ? [closed] : [closed, signal];
  try {
    yield new Uint8Array();
    for (let piece = pieces.first; piece !== undefined; ) {
      yield piece;
      const limit = limitedSignal(timeoutMs, stops);
      try {
        limit.throwIfAborted();
        piece = await abortable(pieces.next(), limit);
      } catch (error) {
        throw limit.aborted ? stopped(limits) : error;
      }
    }
  } finally {
    pieces.end();
  }
}

function stopped({ timeoutMs, signal, closed }: ReadingLimits): DkvClientError {
  const retry = "notApplied";
  if (closed.aborted)
    return new DkvClientError({ code: "closed", retry }, "the client was closed during backup");
  if (signal?.aborted === true)
    return new DkvClientError({ code: "canceled", retry }, "backup was cancelled", { cause: signal.reason });
  return new DkvClientError(
    { code: "deadline_exceeded", retry },
    `nothing more came of the backup for ${formatDuration(timeoutMs)}`,
  );
}

/** A backup as it comes from a member. */
import { abortable } from "./abortable.ts";
import { DkvClientError } from "./errors.ts";
import { limitedSignal } from "./platform/time.ts";
import { formatDuration } from "./retry.ts";

/** What has come of a backup and what is to come. Somebody has to read it, or call `end`. */
export interface BackupPieces {
  readonly first: Uint8Array | undefined;
  /** Undefined after the last. @throws DkvClientError */
  next(): Promise<Uint8Array | undefined>;
  /** Nothing more is wanted. */
  end(): void;
}

/**
 * Waits for the first piece, so that whatever a member can refuse it has refused.
 *
 * @param signal ends the wait for the first piece, and nothing after it
 * @param translate what the stream throws
 */
export async function beginBackup(
  open: (signal: AbortSignal) => AsyncIterable<{ readonly piece: Uint8Array }>,
  signal: AbortSignal,
  translate: (error: unknown) => unknown,
): Promise<BackupPieces> {
  const ending = new AbortController();
  const onAbort = (): void => {
    ending.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const messages = open(ending.signal)[Symbol.asyncIterator]();
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      const message = await messages.next();
      return message.done === true ? undefined : message.value.piece;
    } catch (error) {
      throw translate(error);
    }
  };
  try {
    const first = await next();
    return {
      first,
      next,
      end: () => {
        ending.abort();
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export interface ReadingLimits {
  /** Between one piece and the next. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Aborted when the client is closed. */
  readonly closed: AbortSignal;
}

/** All pieces, as fast as they are taken; `return()` ends them at any time. @throws DkvClientError */
export async function readPieces(
  pieces: BackupPieces,
  limits: ReadingLimits,
): Promise<AsyncGenerator<Uint8Array>> {
  const reading = readBegun(pieces, limits);
  // A generator of which nothing was taken yet ends without its `finally`: the first step is taken here.
  await reading.next();
  return reading;
}

/** Nothing at first. */
async function* readBegun(pieces: BackupPieces, limits: ReadingLimits): AsyncGenerator<Uint8Array> {
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

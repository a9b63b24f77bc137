/** Time, which decides nothing but how long is waited. */
import { setTimeout as timer } from "node:timers/promises";

/** Milliseconds on a clock that never goes back. */
export function nowMs(): number {
  return performance.now();
}

/** Resolves to undefined if the promise has not settled after so long. */
export async function within<Result>(
  promise: Promise<Result>,
  timeoutMs: number,
): Promise<Result | undefined> {
  const waiting = new AbortController();
  try {
    return await Promise.race([promise, timer(timeoutMs, undefined, { signal: waiting.signal })]);
  } finally {
    waiting.abort();
  }
}

export async function sleep(durationMs: number): Promise<void> {
  if (durationMs > 0) await timer(durationMs);
}

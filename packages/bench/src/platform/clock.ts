import { setTimeout as timer } from "node:timers/promises";

/** Milliseconds on a clock that never goes back. */
export function nowMs(): number {
  return performance.now();
}

/** Rejects when the signal aborts. */
export async function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  await timer(durationMs, undefined, signal === undefined ? {} : { signal });
}

/** Calls back every `periodMs` until the returned function is called. */
export function every(periodMs: number, callback: () => void): () => void {
  const handle = setInterval(callback, periodMs);
  return () => {
    clearInterval(handle);
  };
}

/** The time of day, for people and file names. */
export function timeOfDay(): Date {
  return new Date();
}

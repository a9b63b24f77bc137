import { setTimeout as timer } from "node:timers/promises";

/** Milliseconds on a clock that never goes back. */
export function nowMs(): number {
  return performance.now();
}

/** Waits so long, or until the signal aborts; it does not reject. */
export async function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  await timer(durationMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

/** Calls back once, unless the returned function is called before. */
export function after(delayMs: number, callback: () => void): () => void {
  const handle = setTimeout(callback, delayMs);
  return () => {
    clearTimeout(handle);
  };
}

/** The time of day, for people who look into members' logs. */
export function timeOfDay(): Date {
  return new Date();
}

/** Lets whatever waits have its turn: a long computation asks for this in between. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Aborts after so long, or with the other one. */
export function limited(durationMs: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(durationMs)]);
}

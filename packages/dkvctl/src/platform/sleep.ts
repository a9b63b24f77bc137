import { setTimeout as delay } from "node:timers/promises";

/** Waits. Rejects as soon as the signal is aborted. */
export async function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  await delay(durationMs, undefined, { signal });
}

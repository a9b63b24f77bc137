/** Time and chance: the only file of the client that asks the machine for either. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds since some fixed moment. Never goes back. Not the time of day. */
export const nowMs = (): number => performance.now();

/** Waits. Rejects with the signal's reason as soon as it is aborted. */
export async function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await delay(durationMs, undefined, { signal }).catch(() => {
    signal?.throwIfAborted();
  });
}

/** Aborted after `durationMs` at the latest, and with any of the given signals. */
export function limitedSignal(durationMs: number, signals: readonly AbortSignal[]): AbortSignal {
  return AbortSignal.any([...signals, AbortSignal.timeout(Math.max(1, Math.ceil(durationMs)))]);
}

/** Some number from half of `durationMs` up to all of it, so that clients do not knock in step. */
export const jittered = (durationMs: number): number => durationMs * (0.5 + Math.random() / 2);

/** Calls back again and again, until it is stopped by what it returns. Keeps no program from ending. */
export function every(periodMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, periodMs).unref();
  return () => {
    clearInterval(timer);
  };
}

/** A number that nobody else chooses, for a lease: from 1 to 2^63 - 1. */
export const randomId = (): bigint => (randomBytes(8).readBigUInt64BE() >> 1n) | 1n;

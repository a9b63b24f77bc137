/** Waiting, which only tools may do by the clock. */
import { setTimeout as sleep } from "node:timers/promises";

const pauseMs = 50;

/**
 * Asks again and again until there is an answer. Rejects with `explain()` when there is none after
 * `timeoutMs`, and with whatever `ask` rejects with.
 */
export async function poll<Answer>(
  ask: () => Promise<Answer | undefined>,
  { timeoutMs, explain }: { readonly timeoutMs: number; readonly explain: () => Error },
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw explain();
    await sleep(pauseMs);
  }
}

/** Calls `late` after `delayMs` unless the promise settles before. */
export async function hurry<Result>(
  promise: Promise<Result>,
  delayMs: number,
  late: () => void,
): Promise<Result> {
  const timer = setTimeout(late, delayMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

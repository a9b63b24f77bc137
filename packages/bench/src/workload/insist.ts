import { sleep } from "../platform/clock.ts";

/** A leader may change while much is asked; what was refused is tried again so often. */
const attempts = 5;
const restMs = 100;

/** Rejects with the last failure. */
export async function insist<Result>(attempt: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  for (let left = attempts - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(restMs, signal);
    }
  }
}

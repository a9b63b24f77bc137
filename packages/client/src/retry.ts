import type { DkvClientError } from "./errors.ts";

/** What doing an operation twice does: nothing at all; nothing more than doing it once; perhaps harm. */
export type Effect = "none" | "idempotent" | "once";

/**
 * Whether a failed operation may be tried again. Pure.
 *
 * A write of a key whose outcome is unknown is never repeated: it could undo what somebody else has written
 * since.
 */
export function isWorthRepeating({ retry }: DkvClientError, effect: Effect): boolean {
  if (retry === "never") return false;
  return retry === "notApplied" || effect !== "once";
}

const firstBackoffMs = 20;
const longestBackoffMs = 500;

/** How long to wait at most after all endpoints have been tried for the `round`-th time, counting from 0. */
export function backoffMs(round: number): number {
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(round, 10));
}

/** A duration as a person would write it, for messages: `5s`, `250ms`. */
export function formatDuration(durationMs: number): string {
  const rounded = Math.round(durationMs);
  return rounded % 100 === 0 && rounded >= 1000 ? `${rounded / 1000}s` : `${rounded}ms`;
}

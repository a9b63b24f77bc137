/**
 * Bounded memory: nothing that waits grows without end. Looked at now and then, as it is not about one event.
 */
import { SafetyViolation } from "./truth.ts";

export interface Sizes {
  /** Events that are going to happen. */
  readonly pendingEvents: number;
  /** Written to a connection and not taken by the other side, the most of any. */
  readonly queuedBytes: number;
  /** Applied and not saved, of any member. */
  readonly unsavedBytes: number;
  /** Of any log. */
  readonly logBytes: number;
}

export const bounds: Sizes = {
  pendingEvents: 100_000,
  // One frame may go over the limit of a queue.
  queuedBytes: 2 * 4 * 2 ** 20,
  unsavedBytes: 17 * 2 ** 20,
  // Four times what compaction is told, and a batch.
  logBytes: 5 * 2 ** 20,
};

export function checkBounds(sizes: Sizes): void {
  for (const [name, most] of Object.entries(bounds) as [keyof Sizes, number][]) {
    if (sizes[name] > most)
      throw new SafetyViolation(
        `${name} has grown to ${String(sizes[name])}, and may not exceed ${String(most)}`,
      );
  }
}

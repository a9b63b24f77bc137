import { assert } from "../../src/assert.ts";
import { type Entry, indexAfter, type LogIndex, noEntry } from "../../src/types.ts";

/** A state machine whose whole content is a digest of all that it has applied, in order. */
export interface State {
  readonly applied: LogIndex;
  readonly digest: number;
}

export const emptyState: State = { applied: noEntry.index, digest: 0 };

/** The state after the next entry. It must be the next one: each is applied in order, exactly once. */
export function stateAfter(before: State, entry: Entry): State {
  assert(entry.index === indexAfter(before.applied), "entries are applied in order, exactly once");
  let digest = before.digest;
  const mix = (value: number): void => {
    digest = Math.imul(digest ^ value, 0x01000193) >>> 0;
  };
  for (const value of [entry.index, entry.term, entry.kind.length]) mix(value);
  for (const byte of entry.data) mix(byte);
  return { applied: entry.index, digest };
}

/** The state after all of `entries`. */
export function stateOf(entries: readonly Entry[], from = emptyState): State {
  return entries.reduce(stateAfter, from);
}

import { assert } from "./assert.ts";
import { decodeConfiguration } from "./configuration/codec.ts";
import type { AppendEntries } from "./messages.ts";
import { type Entry, type EntryId, indexAfter, type LogIndex, type Term } from "./types.ts";

/** What a decision about an append needs to see of the log. */
export interface LogView {
  readonly committed: LogIndex;
  termAt(index: LogIndex): Term | undefined;
}

export type AppendDecision =
  | { readonly kind: "missingPrev" }
  /** Store these, perhaps none, in place of whatever stands from the first one's index on. */
  | { readonly kind: "append"; readonly entries: readonly Entry[] };

/**
 * Decides which of the leader's entries are new. Pure.
 *
 * Entries that we hold already are skipped, not rewritten: a delayed or repeated request may carry an
 * older, shorter view of a log that has grown since.
 *
 *   index    1  2  3  4
 *   ours     1  1  2  2      prev 2/1 arrives late with entry 3/2 only:
 *   request        2         truncating to it would lose 4, which we have acknowledged.
 *
 * Requires `prev.index >= committed`: the caller answers anything older with its commit index.
 * Source: Raft Fig. 2, AppendEntries RPC, receiver steps 2 to 4.
 */
export function decideAppend(log: LogView, request: AppendEntries): AppendDecision {
  assert(request.prev.index >= log.committed, "older requests are answered by the caller");
  if (log.termAt(request.prev.index) !== request.prev.term) return { kind: "missingPrev" };
  const isNew = (entry: EntryId): boolean => log.termAt(entry.index) !== entry.term;
  const firstNew = request.entries.findIndex(isNew);
  return { kind: "append", entries: firstNew === -1 ? [] : request.entries.slice(firstNew) };
}

/**
 * Whether a request has the shape every leader's request has: entries follow prev without a gap, terms
 * never decrease, none is above the leader's own, and who leads is in a configuration with voters. A peer
 * that sends anything else is not believed.
 */
export function isWellFormed(request: AppendEntries): boolean {
  const { prev, entries, term } = request;
  if ((prev.index === 0) !== (prev.term === 0)) return false;
  let before: EntryId = prev;
  for (const entry of entries) {
    if (entry.index !== indexAfter(before.index) || entry.term < before.term || entry.term === 0)
      return false;
    if (entry.kind === "configuration" && !isConfiguration(entry)) return false;
    before = entry;
  }
  return before.term <= term;
}

function isConfiguration({ data }: Entry): boolean {
  try {
    return decodeConfiguration(data).voters.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

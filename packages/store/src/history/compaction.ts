/**
 * Giving up history. First it is decided, from which revision on it can be read; then what is of no more use
 * is removed, in pieces that are entries of the log, so that all members hold the same bytes at the same
 * index.
 *
 * Of each key the version stays that was current at the compact revision. What goes is found without looking:
 * every change names the version that the key had before, and says whether its own is passing.
 *
 *   compact revision 7:    a: 3 ─ 5 ─ 7 ─ 9      b: 2 ─ 4 ─ delete 6      c: 3 ─ delete 7
 *   what stays:                       7 ─ 9                                     delete 7
 *
 * A delete at the very revision stays, so that a watch from there can tell of it (etcd #19179), and so does
 * what passes there; the next compaction begins with that revision again.
 */
import { changeKey } from "../keyspace/change-record.ts";
import type { Compaction } from "../keyspace/compaction-record.ts";
import { indexKey } from "../keyspace/index-record.ts";
import type { Overlay } from "../overlay/overlay.ts";
import { Refusal } from "../refusal.ts";
import type { Revision } from "../results.ts";
import type { Need } from "../txn/prepare.ts";
import type { Place } from "../version.ts";
import type { Piece } from "./pieces.ts";

/** Throws the refusals `compacted` and `futureRevision`. */
export function compactTo(compaction: Compaction, revision: bigint, current: Revision): Compaction {
  if (revision <= BigInt(compaction.revision)) throw new Refusal("compacted");
  if (revision > BigInt(current)) throw new Refusal("futureRevision");
  const { isRemoved, next: left } = compaction;
  // Deletes of the former compact revision have stayed, also where a piece has gone beyond them.
  const isAtEnd = isRemoved || left.revision === compaction.revision;
  const next = isAtEnd ? { revision: Math.max(0, compaction.revision), sub: 0 } : left;
  return { revision: Number(revision), isRemoved: false, next };
}

export function needsOfRemoval({ isRemoved, next, revision }: Compaction): readonly Need[] {
  return isRemoved ? [] : [{ kind: "history", from: next, through: revision }];
}

/** Removes what these changes have replaced, and those that made nothing to stay. Returns how far that has come. */
export function removePiece(overlay: Overlay, compaction: Compaction, { changes, next }: Piece): Compaction {
  for (const { key, place, isDeleted, isPassing, previous } of changes) {
    if (previous !== undefined) removeVersion(overlay, key, previous);
    if (place.revision === compaction.revision) continue;
    // The index is that of a later change, which may have to stay.
    if (isPassing) overlay.remove(changeKey(place));
    else if (isDeleted) removeVersion(overlay, key, place);
  }
  return next === undefined ? { ...compaction, isRemoved: true } : { ...compaction, next };
}

function removeVersion(overlay: Overlay, key: string, place: Place): void {
  overlay.remove(changeKey(place));
  overlay.remove(indexKey(key, place.revision));
}

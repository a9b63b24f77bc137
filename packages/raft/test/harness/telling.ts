/** How a story tells what is on disks and in logs. */
import { formatEntries, formatEntryId, formatHardState } from "../../src/format.ts";
import type { PersistBatch } from "../../src/ready.ts";
import type { Entry, EntryId, HardState } from "../../src/types.ts";

/** `"x"` for a command, else its kind. */
export function tellEntry({ kind, data, ...id }: Entry): string {
  const text = kind === "command" ? `"${new TextDecoder().decode(data)}"` : kind;
  return `${formatEntryId(id)} ${text}`;
}

/** `1-2/1,3/4`; `after 2/1: 3/4` if the beginning was dropped. */
export function tellLog(base: EntryId, entries: readonly EntryId[]): string {
  return base.index === 0
    ? formatEntries(entries)
    : `after ${formatEntryId(base)}: ${formatEntries(entries)}`;
}

/** What a batch changes on a disk that holds the hard state `before`. */
export function tellBatch({ hardState, snapshot, entries }: PersistBatch, before: HardState): string {
  const isNews =
    hardState !== undefined && (hardState.term !== before.term || hardState.votedFor !== before.votedFor);
  const parts = [
    ...(isNews ? [formatHardState(hardState)] : []),
    ...(snapshot === undefined ? [] : [`snapshot=${formatEntryId(snapshot.last)}`]),
    ...(entries.length > 0 ? [`entries=${formatEntries(entries)}`] : []),
  ];
  return parts.length === 0 ? "commit only" : parts.join(" ");
}

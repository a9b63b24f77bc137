import type { Entry } from "@dkv/raft";

/**
 * The entries, configurations among them with bytes of their own: those are kept for as long as they are in
 * force, and must not keep alive the segment or the frame that they came in.
 */
export function withOwnConfigurations(entries: readonly Entry[]): readonly Entry[] {
  if (!entries.some(({ kind }) => kind === "configuration")) return entries;
  return entries.map((entry) =>
    entry.kind === "configuration" ? { ...entry, data: Uint8Array.from(entry.data) } : entry,
  );
}

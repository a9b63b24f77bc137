/**
 * A note in a data directory into which a backup is being restored. It is there before anything else, and
 * goes once the directory is a member's: what lies beside it before that is no member's data, whole as it
 * may look.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holdsMember } from "./generation/generation-file.ts";
import { syncDirectory } from "./log/segment-file.ts";

const pathIn = (dataDir: string): string => join(dataDir, "restoring");

/** Throws the system's EEXIST if the note is there already: somebody else restores here. */
export function noteRestoring(dataDir: string): void {
  writeFileSync(pathIn(dataDir), "A backup is being restored into this directory.\n", {
    mode: 0o600,
    flush: true,
    flag: "wx",
  });
  syncDirectory(dataDir);
}

/** Whether a restore has not come to its end here, or not yet. */
export const isRestoring = (dataDir: string): boolean => existsSync(pathIn(dataDir)) && !holdsMember(dataDir);

/** Deletes what a restore has left, and last the note that says so. */
export function deleteRestored(dataDir: string): void {
  if (!existsSync(dataDir)) return;
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name);
    if (path !== pathIn(dataDir)) rmSync(path, { recursive: true, force: true });
  }
  syncDirectory(dataDir);
  rmSync(pathIn(dataDir), { force: true });
}

/** The directory is a member's. Durable, lest data that is damaged later be taken for a restore's. */
export function forgetRestoring(dataDir: string): void {
  if (!existsSync(pathIn(dataDir))) return;
  rmSync(pathIn(dataDir), { force: true });
  syncDirectory(dataDir);
}

/**
 * A note in the data directory of a member that was removed from its cluster. Its data is of no more use: the
 * cluster goes on without it, and under its id it is never let in again.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { StartupError } from "../platform/startup-error.ts";
import { syncDirectory } from "./log/segment-file.ts";

const pathIn = (dataDir: string): string => join(dataDir, "removed");

/** What a removed member says, and what to do about it. */
export const removedText = (dataDir: string): string =>
  `this member was removed from its cluster: the data in ${dataDir} must not be used again. ` +
  "To come back, add it anew with dkvctl member-join, delete that directory, and start it with " +
  "--initial-cluster-state=existing";

/** Without the note, as on a full disk, the member is told anew after its next start. */
export function noteRemoval(dataDir: string, logger: Logger): void {
  try {
    writeFileSync(pathIn(dataDir), "This member was removed from its cluster.\n", {
      mode: 0o600,
      flush: true,
    });
    syncDirectory(dataDir);
  } catch (error) {
    logger.warn({ dataDir, err: error }, "could not note that this member was removed");
  }
}

/** Throws a StartupError if the directory is that of a removed member. */
export function refuseRemoved(dataDir: string): void {
  if (existsSync(pathIn(dataDir))) throw new StartupError("environment", removedText(dataDir));
}

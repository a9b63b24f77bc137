/** How a member says that what it stored is not what it finds. */
import { StartupError } from "../platform/startup-error.ts";

/** Something stored is missing or not what was written. The message says which record, batch or index. */
export class DamageError extends Error {
  override readonly name = "DamageError";
}

/** Refuses to start with a damaged directory: what is wrong, why that matters, and what to do. */
export function damagedDirectory(dataDir: string, error: Error): StartupError {
  return new StartupError(
    "environment",
    `${error.message}. The data in ${dataDir} is damaged: this member may have forgotten a vote it gave ` +
      "or a write it acknowledged, so it must not be started with this directory again. Replace it under " +
      "its own name with dkvctl member-replace NAME NAME ADDRESS, and let it join anew with an empty directory; " +
      "an older copy of this one is no cure, since it has forgotten even more",
    { cause: error },
  );
}

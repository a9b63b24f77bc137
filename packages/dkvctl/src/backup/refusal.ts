import { DamagedSnapshotError } from "@dkv/snapshot";

import { Exit, exitCodes } from "../exit.ts";
import { fileTrouble } from "../file-trouble.ts";

/** One line on why a file is no backup to rely on; errors of other kinds as they are. */
export function backupRefusal(path: string, error: unknown): unknown {
  if (error instanceof DamagedSnapshotError)
    return new Exit(exitCodes.failure, `${path} is no backup to rely on: ${error.message}`, { cause: error });
  if (error instanceof Error && "syscall" in error)
    return new Exit(exitCodes.failure, `cannot use ${path}: ${fileTrouble(error)}`, { cause: error });
  return error;
}

import { DamagedSnapshotError } from "@dkv/snapshot";

import { Exit, exitCodes } from "../exit.ts";

/** One line on why a file is no backup to rely on; errors of other kinds as they are. */
export function backupRefusal(path: string, error: unknown): unknown {
  if (error instanceof DamagedSnapshotError)
    return new Exit(exitCodes.failure, `${path} is no backup to rely on: ${error.message}`, { cause: error });
  if (error instanceof Error && "syscall" in error)
    return new Exit(exitCodes.failure, `cannot use ${path}: ${error.message}`, { cause: error });
  return error;
}

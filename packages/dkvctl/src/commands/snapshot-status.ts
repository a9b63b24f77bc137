import { createReadStream } from "node:fs";

import { readBackup } from "@dkv/snapshot";

import { backupRefusal } from "../backup/refusal.ts";
import { summarize } from "../backup/summary.ts";
import { printBackup } from "../output/backup.ts";
import type { CommandContext } from "./command.ts";

/** Checks a backup from its first byte to its last, and prints what is in it. */
export async function snapshotStatus(
  context: Pick<CommandContext, "output" | "io">,
  path: string,
): Promise<void> {
  const bytes: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1 << 20 });
  const summary = await summarize(readBackup(bytes)).catch((error: unknown) => {
    throw backupRefusal(path, error);
  });
  return printBackup(context, summary);
}

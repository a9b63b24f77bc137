import { existsSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { readBackup } from "@dkv/snapshot";

import { backupRefusal } from "../backup/refusal.ts";
import { type BackupSummary, summarize } from "../backup/summary.ts";
import { Exit, exitCodes } from "../exit.ts";
import { printBackup } from "../output/backup.ts";
import type { CommandContext, Io } from "./command.ts";

export interface SaveRequest {
  readonly path: string;
  /** Whether a file of that name may be replaced. */
  readonly force: boolean;
  readonly serializable: boolean;
}

/**
 * Saves a backup, and prints what is in it. It is checked as it comes, and bears its name only once it is
 * whole and on disk: until then it is FILE.part, which goes if anything fails.
 */
export async function snapshotSave(
  context: CommandContext,
  { path, force, serializable }: SaveRequest,
): Promise<void> {
  if (!force && existsSync(path))
    throw new Exit(
      exitCodes.failure,
      `${path} is there already: name another file, or add --force to replace it`,
    );
  const pieces = await context.client.backup({ serializable });
  const part = `${path}.part`;
  try {
    const summary = await receive(pieces, part, context.io);
    await rename(part, path);
    await syncDirectory(dirname(resolve(path)));
    await printBackup(context, summary);
  } catch (error) {
    await rm(part, { force: true });
    throw backupRefusal(path, error);
  } finally {
    await pieces.return(undefined);
  }
}

async function receive(pieces: AsyncIterable<Uint8Array>, part: string, io: Io): Promise<BackupSummary> {
  // Whoever may read the keys in a cluster is not decided by who may read this directory.
  const file = await open(part, "w", 0o600);
  try {
    const summary = await summarize(readBackup(written(pieces, file, io)));
    await file.sync();
    return summary;
  } finally {
    await file.close();
  }
}

const mebibyte = 1 << 20;

/** The same pieces, each once it is in the file. Says on a terminal how many there were. */
async function* written(
  pieces: AsyncIterable<Uint8Array>,
  file: FileHandle,
  io: Io,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let said = 0;
  for await (const piece of pieces) {
    await file.writeFile(piece);
    bytes += piece.length;
    yield piece;
    const mebibytes = Math.floor(bytes / mebibyte);
    if (mebibytes === said) continue;
    said = mebibytes;
    if (io.explainsToTerminal) io.explain(`\r${mebibytes} MiB`);
  }
  if (said > 0 && io.explainsToTerminal) io.explain("\r\u001B[K");
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

import { existsSync } from "node:fs";
import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { DkvClientError, type ErrorCode } from "@dkv/client";
import { readBackup } from "@dkv/snapshot";

import { backupRefusal } from "../backup/refusal.ts";
import { type BackupSummary, summarize } from "../backup/summary.ts";
import { Exit, exitCodes } from "../exit.ts";
import { printBackup } from "../output/backup.ts";
import { type Progress, progressOn } from "../output/progress.ts";
import { randomName } from "../platform/random.ts";
import type { CommandContext, Io } from "./command.ts";

export interface SaveRequest {
  readonly path: string;
  /** Whether a file of that name may be replaced. */
  readonly force: boolean;
  readonly serializable: boolean;
}

/**
 * Saves a backup, and prints what is in it. It is checked as it comes, and bears its name only once it is
 * whole and on disk: until then it has a name that nobody else uses, and goes if anything fails.
 */
export async function snapshotSave(context: CommandContext, request: SaveRequest): Promise<void> {
  const { path, force } = request;
  if (!force && existsSync(path)) throw alreadyThere(path);
  await context.io.interruptible(async (signal) => {
    try {
      await printBackup(context, await save(context, request, signal));
    } catch (error) {
      throw backupRefusal(path, error);
    }
  });
}

async function save(
  { client, io }: CommandContext,
  { path, force, serializable }: SaveRequest,
  signal: AbortSignal,
): Promise<BackupSummary> {
  const pieces = await client.backup({ serializable, signal }).catch((error: unknown) => {
    throw serializable ? error : withWayOut(error);
  });
  const part = `${path}.${randomName()}.part`;
  try {
    // Whoever may read the keys in a cluster is not decided by who may read this directory.
    const file = await open(part, "wx", 0o600);
    const summary = await receive(pieces, file, io);
    await (force ? rename(part, path) : linkAnew(part, path));
    await syncDirectory(dirname(resolve(path)));
    return summary;
  } finally {
    await rm(part, { force: true });
    await pieces.return(undefined);
  }
}

const noQuorum: readonly ErrorCode[] = ["read_timeout", "no_leader", "deadline_exceeded"];

/** A member without a quorum says so only after a while, and may not be waited for that long. */
function withWayOut(error: unknown): unknown {
  if (!(error instanceof DkvClientError) || !noQuorum.includes(error.code)) return error;
  return new Exit(
    exitCodes.failure,
    `${error.message}; add --serializable to save what the member asked has, which needs no quorum`,
    { cause: error },
  );
}

/** Unlike a rename it cannot replace a file that came meanwhile. */
async function linkAnew(part: string, path: string): Promise<void> {
  try {
    await link(part, path);
  } catch (error) {
    throw error instanceof Error && "code" in error && error.code === "EEXIST" ? alreadyThere(path) : error;
  }
}

function alreadyThere(path: string): Exit {
  return new Exit(
    exitCodes.failure,
    `${path} is there already: name another file, or add --force to replace it`,
  );
}

async function receive(pieces: AsyncIterable<Uint8Array>, file: FileHandle, io: Io): Promise<BackupSummary> {
  const progress = progressOn(io, mebibyte, (bytes) => `${Math.floor(bytes / mebibyte)} MiB`);
  try {
    const summary = await summarize(readBackup(written(pieces, file, progress)));
    await file.sync();
    return summary;
  } finally {
    progress.end();
    await file.close();
  }
}

/** The same pieces, each once it is in the file. */
async function* written(
  pieces: AsyncIterable<Uint8Array>,
  file: FileHandle,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    await file.writeFile(piece);
    progress.add(piece.length);
    yield piece;
  }
}

const mebibyte = 1 << 20;

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

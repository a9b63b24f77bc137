/** Why a member does not start with a data directory, each with what to do about it. */
import { DamagedRecordError } from "@dkv/store";
import { StartupError } from "../platform/startup-error.ts";
import { DamageError, damagedDirectory } from "./damage.ts";
import { OpenError } from "./state/leveldb.ts";
import { hexId } from "./state/records.ts";
import { formatVersion, type Owner } from "./storage.ts";

/** @param format another one than this version's */
export function otherFormat(dataDir: string, format: number): StartupError {
  if (format < formatVersion) return olderFormat(dataDir, `format ${String(format)}`);
  return new StartupError(
    "environment",
    `the data in ${dataDir} has format ${String(format)}, and this version of dkv reads format ` +
      `${String(formatVersion)} only: start it with the newer version that wrote it`,
  );
}

/** Not damage: what a newer version wrote is whole, and of no use to this one. */
export function newerSegment(what: string, format: number): StartupError {
  return new StartupError(
    "environment",
    `${what} has format ${String(format)}, written by a newer version of dkv; this one knows formats ` +
      `up to ${String(formatVersion)}: start it with the newer version`,
  );
}

export function olderFormat(dataDir: string, format: string): StartupError {
  return new StartupError(
    "environment",
    `the data in ${dataDir} was written by an earlier version of dkv (${format}), and this one reads format ` +
      `${String(formatVersion)} only: start it with the version that wrote it, or give this one an empty ` +
      "directory and copy the keys with a client; backups that the earlier version made cannot be restored " +
      "by this one either",
  );
}

export function notOurs(dataDir: string, owner: Owner, us: Owner): StartupError {
  return new StartupError(
    "environment",
    `the data in ${dataDir} belongs to ${describe(owner)}, ` +
      `and this is ${describe(us)}: give each member a directory of its own, ` +
      "or start this one with the name it was created with",
  );
}

function describe({ clusterId, memberId, name }: Owner): string {
  return `member "${name}" (${hexId(memberId)}) of cluster ${hexId(clusterId)}`;
}

export function nothingThere(dataDir: string): StartupError {
  return new StartupError(
    "environment",
    `no member's data is in ${dataDir}: name the directory that this member had, or with --initial-cluster the members of a new cluster`,
  );
}

export function restoreCutShort(dataDir: string): StartupError {
  return new StartupError(
    "environment",
    `a restore into ${dataDir} has not finished, and what is there is no member's data yet: unless it is still ` +
      "running, delete the directory and run dkv restore again",
  );
}

/** What is told instead of an error that came up while opening; the error itself if it is a bug of ours. */
export function refusal(dataDir: string, error: unknown): unknown {
  if (error instanceof DamageError || error instanceof DamagedRecordError)
    return damagedDirectory(dataDir, error);
  if (error instanceof OpenError) return cannotOpen(dataDir, error);
  if (error instanceof Error && "syscall" in error) {
    const isFile = "code" in error && error.code === "EEXIST" && error.syscall === "mkdir";
    const reason = isFile ? "it is no directory" : error.message;
    return new StartupError("environment", `cannot use the data directory ${dataDir}: ${reason}`, {
      cause: error,
    });
  }
  return error;
}

function cannotOpen(dataDir: string, error: OpenError): StartupError {
  switch (error.failure) {
    case "locked":
      return new StartupError(
        "environment",
        `another dkv uses the data directory ${dataDir}: stop it, or give this one a directory of its own`,
        { cause: error },
      );
    case "corrupt":
      return damagedDirectory(
        dataDir,
        new DamageError(`LevelDB found a damaged file: ${error.message}`, { cause: error }),
      );
    case "failed":
      return new StartupError("environment", `cannot open the database in ${dataDir}: ${error.message}`, {
        cause: error,
      });
  }
}

/** Makes the data of one member of a new cluster from a backup of another cluster. */
import { createReadStream } from "node:fs";
import { initialConfiguration, type Configuration } from "@dkv/raft";
import { DamagedSnapshotError, readBackup, type BackupEnd, type SnapshotHeader } from "@dkv/snapshot";
import { encodeMembership } from "../codec/membership-codec.ts";
import { memberIdOf, restoredClusterIdOf } from "../config/identity.ts";
import type { RestoreRequest } from "../config/restore-command.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import { StartupError } from "../platform/startup-error.ts";
import { Restoration, type NewMember } from "../storage/restoration.ts";

/** What was restored. */
export interface Restored extends Pick<BackupEnd, "keys" | "sha256"> {
  readonly header: SnapshotHeader;
}

/** Rejects with a StartupError; the data directory is then as it was. */
export async function restore(
  request: RestoreRequest,
  { clock, random }: { readonly clock: Clock; readonly random: Pick<Random, "name"> },
): Promise<Restored> {
  const { file, dataDir } = request;
  const bytes: AsyncIterable<Buffer> = createReadStream(file, { highWaterMark: 2 ** 20 });
  let restoration: Restoration | undefined;
  let header: SnapshotHeader | undefined;
  try {
    for await (const part of readBackup(bytes)) {
      if (part.kind === "header") {
        ({ header } = part);
        restoration = await Restoration.begin({ dataDir, clock, random }, header);
      } else if (part.kind === "chunk") await restoration?.write(part.chunk);
      else if (header !== undefined) {
        await restoration?.finish(part.trailer, newMember(request, part.sha256));
        return { header, keys: part.keys, sha256: part.sha256 };
      }
    }
  } catch (error) {
    await restoration?.abandon();
    throw refusal(request, error);
  }
  throw new DamagedSnapshotError("a backup has an end");
}

function newMember({ name, initialCluster, initialClusterToken }: RestoreRequest, sha256: Buffer): NewMember {
  const clusterId = restoredClusterIdOf(initialClusterToken, initialCluster, sha256);
  return {
    identity: { clusterId, memberId: memberIdOf(name), name },
    configuration: configurationOf(initialCluster),
  };
}

function configurationOf(members: RestoreRequest["initialCluster"]): Configuration {
  const rows = members.map(({ name, address: peerAddress }) => ({
    id: memberIdOf(name),
    name,
    peerAddress,
    incarnation: 0n,
  }));
  return initialConfiguration(
    rows.map(({ id }) => id),
    encodeMembership({ rows, history: 0n }),
  );
}

function refusal({ file, dataDir }: RestoreRequest, error: unknown): unknown {
  if (error instanceof DamagedSnapshotError)
    return new StartupError("environment", `${file} is no backup to rely on: ${error.message}`, {
      cause: error,
    });
  if (error instanceof Error && (isOfSystem(error) || isOfSystem(error.cause))) {
    return new StartupError("environment", `cannot restore ${file} into ${dataDir}: ${error.message}`, {
      cause: error,
    });
  }
  return error;
}

/** What the system or LevelDB says when a file cannot be read or written, as on a full disk. */
function isOfSystem(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return "syscall" in error || (typeof error.code === "string" && error.code.startsWith("LEVEL_"));
}

/** For whoever ran it: what there is now, and what to do next. */
export function restoredText({ name, dataDir }: RestoreRequest, { header, keys }: Restored): string {
  return (
    `restored ${String(keys)} keys at revision ${String(header.revision)} into ${dataDir}: restore the same file for ` +
    `every other member, then start ${name} with the same --name, --data-dir and --initial-cluster\n`
  );
}

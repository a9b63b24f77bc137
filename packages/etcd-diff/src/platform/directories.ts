/** Where servers keep their data while they are compared. */
import { accessSync, constants, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const memory = "/dev/shm";

/**
 * A directory that goes with `remove`; in memory where there is one: a sync of a real disk takes longer than
 * everything else together.
 */
export async function makeDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(hasMemory() ? memory : tmpdir(), "dkv-etcd-diff-"));
  made.add(path);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      made.delete(path);
    },
  };
}

/** Those that are there: what is in memory does not go by itself. */
const made = new Set<string>();

/** For a process that ends at once. Servers that still write are killed by their wardens a moment later. */
export function removeDirectories(): void {
  for (const path of made) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    } catch (error) {
      process.stderr.write(`etcd-diff: ${path} is still there: ${String(error)}\n`);
    }
  }
}

function hasMemory(): boolean {
  try {
    accessSync(memory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

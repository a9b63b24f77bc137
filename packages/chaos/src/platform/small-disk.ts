/** Disks small enough to be filled: file systems in memory, which only root may mount. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** Two files of the log take 32 MiB, the next generation as much again while a snapshot comes in. */
export const smallDiskBytes = 192 * 2 ** 20;

/** Why none can be had here; undefined if they can. */
export function whyNoSmallDisks(scratch: string): string | undefined {
  const directory = mkdtempSync(join(scratch, "mount-"));
  try {
    mountSmallDisk(directory);
    unmountSmallDisk(directory);
    return undefined;
  } catch {
    return "only root can mount the small disks that are filled";
  } finally {
    rmdirSync(directory);
  }
}

/** The directory is made if it is not there. */
export function mountSmallDisk(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const size = `size=${String(smallDiskBytes)}`;
  execFileSync("mount", ["-t", "tmpfs", "-o", size, "dkv-chaos", directory], { stdio: "ignore" });
}

/** What is on it is lost once nobody has a file of it open. */
export function unmountSmallDisk(directory: string): void {
  execFileSync("umount", ["--lazy", directory], { stdio: "ignore" });
}

const ballast = (directory: string): string => join(directory, "somebody-elses-file");

/** Somebody else's file takes all room but `leave` bytes. */
export function fillDisk(directory: string, leave: number): void {
  const { bavail, bsize } = statfsSync(directory);
  const descriptor = openSync(ballast(directory), "w");
  const block = Buffer.alloc(65_536);
  try {
    for (let left = bavail * bsize - leave; left > 0; ) {
      left -= writeSync(descriptor, block, 0, Math.min(block.length, left));
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Takes that file away again. */
export function makeRoom(directory: string): void {
  rmSync(ballast(directory), { force: true });
}

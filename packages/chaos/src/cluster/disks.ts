/** Where the members' data is: most on the machine's disk, a minority on small ones that can be filled. */
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Member } from "@dkv/cluster";
import { makeRoom, mountSmallDisk, unmountSmallDisk } from "../platform/small-disk.ts";

export class Disks {
  /** Members' directories that are small disks. */
  readonly #small = new Set<string>();

  isSmall({ dataDir }: Member): boolean {
    return this.#small.has(dataDir);
  }

  /** To be called before the member has started for the first time. */
  makeSmall({ dataDir }: Member): void {
    mountSmallDisk(dataDir);
    this.#small.add(dataDir);
  }

  /** All that the member had stored is gone; what is mounted stays. */
  empty({ dataDir }: Member): void {
    if (!existsSync(dataDir)) return;
    for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true, force: true });
  }

  /** The member will never come back. */
  remove(member: Member): void {
    this.empty(member);
    if (this.#small.delete(member.dataDir)) unmountSmallDisk(member.dataDir);
    rmSync(member.dataDir, { recursive: true, force: true });
  }

  /** Takes all small disks away; with `keep`, what is on them is copied beside them first. */
  close({ keep }: { readonly keep: boolean }): void {
    for (const directory of this.#small) {
      makeRoom(directory);
      if (keep) cpSync(directory, `${directory}-kept`, { recursive: true });
      unmountSmallDisk(directory);
    }
    this.#small.clear();
  }
}

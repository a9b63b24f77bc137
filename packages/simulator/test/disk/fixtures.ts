/** A disk without a world around it. */
import type { Hardware } from "../../src/disk/hardware.ts";
import type { StorageObserver } from "../../src/disk/sim-storage.ts";

/** As fast as a disk can be that is not asked in the same breath. */
export const instantHardware: Pick<Hardware, "write" | "read"> = {
  read: () => Promise.resolve(),
  async write({ commit }) {
    await Promise.resolve();
    commit();
  },
};

export const idleObserver: StorageObserver = {
  appended: () => undefined,
  compacted: () => undefined,
  installed: () => undefined,
  tornDropped: () => undefined,
  receiving: () => undefined,
  resumed: () => undefined,
};

import type { Storage } from "@dkv/server/storage/storage";
import { storageContract } from "../../../server/test/storage/contract.ts";
import { configuration, identity } from "../../../server/test/storage/fixtures.ts";
import { emptyPlatter } from "../../src/disk/platter.ts";
import { idleObserver, instantHardware } from "./fixtures.ts";
import { SimStorage } from "../load.ts";

storageContract("storage on a simulated disk", () => {
  const platter = emptyPlatter(configuration(2));
  const deps = {
    platter,
    hardware: instantHardware,
    snapshotId: () => 1n,
    chunkBytes: 1000,
    observer: idleObserver,
  };
  return Promise.resolve({
    open: (): Promise<Storage> => Promise.resolve(new SimStorage({ ...identity, incarnation: 7n }, deps)),
  });
});

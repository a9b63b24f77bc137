import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex } from "@dkv/raft";
import {
  batch,
  changes,
  configuration,
  entry,
  hardState,
  identity,
  logOf,
} from "../../../server/test/storage/fixtures.ts";
import { emptyPlatter } from "../../src/disk/platter.ts";
import { SimStorage } from "../load.ts";
import { idleObserver, instantHardware } from "./fixtures.ts";

function disk() {
  const platter = emptyPlatter(configuration(2));
  const deps = {
    platter,
    hardware: instantHardware,
    snapshotId: () => 1n,
    chunkBytes: 1000,
    observer: idleObserver,
  };
  return { platter, open: () => new SimStorage({ ...identity, incarnation: 7n }, deps) };
}

describe("compaction on a simulated disk", () => {
  it("drops what is applied, and the rest is there after a restart", async () => {
    const { open } = disk();
    const storage = open();
    for (const index of [1, 2, 3, 4])
      await storage.append(batch({ hardState: hardState(1), entries: [entry(index, 1)] }));
    await storage.save(changes([], { index: 3, term: 1 }));
    await storage.compact(logIndex(2));
    for (const each of [storage, open()]) {
      assert.equal(each.log.firstIndex, 3);
      assert.equal(each.log.termAt(logIndex(2)), 1);
      assert.equal(each.log.termAt(logIndex(1)), undefined);
      assert.deepEqual(logOf(each), [entry(3, 1), entry(4, 1)]);
    }
  });

  it("never drops what the durable state lacks", async () => {
    const { open } = disk();
    const storage = open();
    for (const index of [1, 2, 3])
      await storage.append(batch({ hardState: hardState(1), entries: [entry(index, 1)] }));
    await storage.save(changes([], { index: 1, term: 1 }));
    await storage.compact(logIndex(3));
    assert.equal(storage.log.firstIndex, 2);
  });

  it("does not end between a record and one that replaces entries of it", async () => {
    const { open } = disk();
    const storage = open();
    await storage.append(
      batch({ hardState: hardState(1), entries: [1, 2, 3].map((index) => entry(index, 1)) }),
    );
    await storage.append(batch({ hardState: hardState(2), entries: [entry(2, 2)] }));
    for (const index of [3, 4]) await storage.append(batch({ entries: [entry(index, 2)] }));
    await storage.save(changes([], { index: 3, term: 2 }));
    await storage.compact(logIndex(3));
    for (const each of [storage, open()]) {
      assert.equal(each.log.firstIndex, 4);
      assert.equal(each.log.termAt(logIndex(3)), 2);
      assert.deepEqual(logOf(each), [entry(4, 2)]);
    }
  });
});

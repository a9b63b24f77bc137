import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LeaseId, type LoggedOperation, Store } from "@dkv/store";
import { LocalReads } from "../../src/consensus/local-reads.ts";
import { Disk } from "../../../store/test/disk.ts";
import { grant, setWith } from "./leases/fixtures.ts";

/** A state on a disk, with a lease and keys of it. */
function saved(id: LeaseId, ...keys: readonly string[]): Disk {
  const disk = new Disk();
  const store = new Store(disk, { cacheBytes: 0 });
  const apply = (operation: LoggedOperation): void => {
    const command = { id: { proposer: 1n, sequence: 1 }, operation };
    store.apply({ index: store.appliedIndex + 1, term: 1 }, command, { isWanted: false });
  };
  apply(grant(id, 100));
  for (const key of keys) apply(setWith(key, id));
  disk.write(store.takeChanges());
  return disk;
}

function reading(disk: Disk) {
  const store = new Store(disk, { cacheBytes: 0 });
  const failures: unknown[] = [];
  const deps = { store, refusal: () => undefined, ending: () => undefined };
  const reads = new LocalReads({ ...deps, fatal: (error) => failures.push(error) });
  /** Reads while another state takes over, and the disk that is read is closed. */
  const during = async <Result>(read: () => Promise<Result>, other: Disk | undefined): Promise<Result> => {
    const { promise: closed, reject } = Promise.withResolvers<void>();
    disk.gate = closed;
    const result = read();
    disk.gate = undefined;
    if (other !== undefined) {
      disk.replaceWith(other);
      store.restored();
      reads.restored();
    }
    reject(new Error("the database was closed"));
    return result;
  };
  return { reads, during, failures };
}

const names = (keys: readonly Uint8Array[]): readonly string[] => keys.map((key) => String(Buffer.from(key)));

describe("what a member reads while it takes over another one's state", () => {
  it("is read anew of leases and their keys", async () => {
    const next = saved(8n, "b", "c");
    const one = reading(saved(7n, "a"));
    assert.deepEqual(await one.during(() => one.reads.leases(), next), [8n]);
    const other = reading(saved(8n, "a"));
    assert.deepEqual(names(await other.during(() => other.reads.keysOfLease(8n), next)), ["b", "c"]);
    assert.deepEqual([...one.failures, ...other.failures], []);
  });

  it("fails if the state is the same still", async () => {
    const { reads, during } = reading(saved(7n, "a"));
    await assert.rejects(
      during(() => reads.leases(), undefined),
      /was closed/,
    );
  });
});

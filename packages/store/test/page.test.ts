import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Store } from "../src/store.ts";
import { command, del, range, set } from "./commands.ts";
import { Disk } from "./disk.ts";

const unbounded = { maxBytes: Number.POSITIVE_INFINITY };

/** A store with keys k000, k001 and so on, on the disk or in front of it. */
function filled(keys: number, options: { readonly saved: boolean; readonly value?: string }) {
  const disk = new Disk({ batchRecords: 10, turns: 0 });
  const store = new Store(disk, { cacheBytes: 0 });
  const apply = (operation: ReturnType<typeof set> | ReturnType<typeof del>): void => {
    const place = { index: store.appliedIndex + 1, term: 1 };
    store.apply(place, command(operation), { isWanted: true });
  };
  for (let at = 0; at < keys; at += 1) apply(set(keyAt(at), options.value ?? "v"));
  if (options.saved) {
    disk.write(store.takeChanges());
    store.persisted();
  }
  return { disk, store, apply };
}

const keyAt = (at: number): string => `k${String(at).padStart(3, "0")}`;

async function page(store: Store, operation: ReturnType<typeof range>, bounds = unbounded) {
  const result = await store.range(operation, bounds);
  assert.ok(result.kind === "range");
  return { keys: result.found.map(({ key }) => Buffer.from(key).toString()), hasMore: result.hasMore };
}

describe("a page of keys", () => {
  for (const saved of [true, false]) {
    it(`has the first keys, and says that there are more, ${saved ? "on" : "in front of"} the disk`, async () => {
      const { store } = filled(30, { saved });
      const all = Array.from({ length: 30 }, (_, at) => keyAt(at));
      for (const limit of [1, 9, 10, 11, 29]) {
        const expected = { keys: all.slice(0, limit), hasMore: true };
        assert.deepEqual(await page(store, range("k", "l", { limit: BigInt(limit) })), expected);
      }
      for (const limit of [30, 31, 0])
        assert.deepEqual(await page(store, range("k", "l", { limit: BigInt(limit) })), {
          keys: all,
          hasMore: false,
        });
    });
  }

  it("reads no more of the disk than it takes", async () => {
    const { disk, store } = filled(1000, { saved: true });
    let scanned = 0;
    const counting = new Proxy(disk, {
      get: (target, name) =>
        name === "scan"
          ? async function* (interval: Parameters<Disk["scan"]>[0]) {
              for await (const batch of target.scan(interval)) {
                scanned += batch.length;
                yield batch;
              }
            }
          : Reflect.get(target, name).bind?.(target),
    });
    const reader = new Store(counting, { cacheBytes: 0 });
    assert.deepEqual((await page(reader, range("k", "l", { limit: 5n }))).keys.length, 5);
    assert.ok(scanned <= 10, `${String(scanned)} records`);
    scanned = 0;
    const past = range("k", "l", { limit: 5n, revision: BigInt(store.revision - 1) });
    assert.deepEqual((await page(reader, past)).keys.length, 5);
    assert.ok(scanned <= 20, `${String(scanned)} records`);
  });

  it("ends before it is too large, but has a key in any case", async () => {
    const { store, apply } = filled(20, { saved: true, value: "x".repeat(96) });
    apply(del(keyAt(19)));
    const now = range("k", "l");
    const before = range("k", "l", { revision: BigInt(store.revision - 1) });
    for (const { operation, all } of [
      { operation: now, all: 19 },
      { operation: before, all: 20 },
    ]) {
      for (const { maxBytes, keys } of [
        { maxBytes: 1, keys: 1 },
        { maxBytes: 100, keys: 1 },
        { maxBytes: 199, keys: 1 },
        { maxBytes: 200, keys: 2 },
        { maxBytes: 1799, keys: 17 },
      ])
        assert.equal((await page(store, operation, { maxBytes })).keys.length, keys, String(maxBytes));
      const whole = await page(store, operation, { maxBytes: 2000 });
      assert.deepEqual([whole.keys.length, whole.hasMore], [all, false]);
    }
    const keysOnly = range("k", "l", { keysOnly: true });
    assert.deepEqual((await page(store, keysOnly, { maxBytes: 8 })).keys, [keyAt(0), keyAt(1)]);
  });

  it("sees through what was deleted in front of the disk", async () => {
    const { store, apply } = filled(10, { saved: true });
    for (const at of [0, 1, 3, 9]) apply(del(keyAt(at)));
    apply(set("k0015", "new"));
    const answer = await page(store, range("k", "l", { limit: 3n }));
    assert.deepEqual(answer, { keys: ["k0015", keyAt(2), keyAt(4)], hasMore: true });
    assert.deepEqual(await page(store, range(keyAt(8), "l", { limit: 3n })), {
      keys: [keyAt(8)],
      hasMore: false,
    });
  });
});

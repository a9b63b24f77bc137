/** Locks, as clients of etcd ask their member for them. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { bytes, type EtcdClient, openEtcd, refusalOf, textOf, ways } from "./etcd-client.ts";

/** A member with leases of these ids. */
async function withLeases(t: TestContext, way: (typeof ways)[number], ...ids: readonly bigint[]) {
  const client = await openEtcd(t, way);
  for (const ID of ids) await client.lease.leaseGrant({ TTL: 60n, ID });
  return client;
}

/** Resolves once as many stand below the name of the lock. */
async function standing({ kv }: EtcdClient, count: number): Promise<readonly string[]> {
  for (;;) {
    const { kvs } = await kv.range({ key: bytes("l/"), rangeEnd: bytes("l0") });
    if (kvs.length === count) return kvs.map(({ key }) => textOf(key));
    await new Promise(setImmediate);
  }
}

for (const way of ways)
  describe(`a lock of etcd, ${way}`, () => {
    it("is owned at once where nobody else wants it, as often as its owner asks", async (t) => {
      const { lock, kv } = await withLeases(t, way, 171n);
      const first = await lock.lock({ name: bytes("l"), lease: 171n });
      assert.deepEqual([textOf(first.key), first.header?.revision], ["l/ab", 2n]);
      const { kvs } = await kv.range({ key: first.key });
      assert.deepEqual([kvs[0]?.lease, kvs[0]?.value.length], [171n, 0]);
      const again = await lock.lock({ name: bytes("l"), lease: 171n });
      assert.deepEqual([textOf(again.key), again.header?.revision], ["l/ab", 2n]);
    });

    it("goes from one to the next in the order in which they came, whatever their keys", async (t) => {
      const client = await withLeases(t, way, 9n, 5n, 1n);
      const { lock } = client;
      const owners: bigint[] = [];
      const waiting: Promise<void>[] = [];
      for (const [at, lease] of [9n, 5n, 1n].entries()) {
        const owned = lock.lock({ name: bytes("l"), lease }).then(async ({ key }) => {
          owners.push(lease);
          assert.deepEqual((await standing(client, 3 - at)).includes(textOf(key)), true);
          if (at === 2) return;
          await standing(client, 3 - at);
          await lock.unlock({ key });
        });
        if (at === 0) waiting.push(standing(client, 3).then(() => owned));
        else waiting.push(owned);
        await standing(client, at + 1);
      }
      await Promise.all(waiting);
      assert.deepEqual(owners, [9n, 5n, 1n]);
    });

    it("is left by who goes before owning it, and by whose time is up", async (t) => {
      const client = await withLeases(t, way, 1n, 2n);
      const { lock } = client;
      await lock.lock({ name: bytes("l"), lease: 1n });
      const gone = new AbortController();
      const waiting = refusalOf(lock.lock({ name: bytes("l"), lease: 2n }, { signal: gone.signal }));
      await standing(client, 2);
      gone.abort();
      assert.match(await waiting, /^Canceled/);
      assert.deepEqual(await standing(client, 1), ["l/1"]);
      const late = refusalOf(lock.lock({ name: bytes("l"), lease: 2n }, { timeoutMs: 300 }));
      await standing(client, 2);
      assert.match(await late, /^DeadlineExceeded/);
      assert.deepEqual(await standing(client, 1), ["l/1"]);
    });

    it("is lost by who waits when the lease ends, and its owner's goes to the next", async (t) => {
      const client = await withLeases(t, way, 1n, 2n, 3n);
      const { lock, lease } = client;
      await lock.lock({ name: bytes("l"), lease: 1n });
      const second = refusalOf(lock.lock({ name: bytes("l"), lease: 2n }));
      await standing(client, 2);
      const third = lock.lock({ name: bytes("l"), lease: 3n });
      await standing(client, 3);
      await lease.leaseRevoke({ ID: 2n });
      assert.equal(await second, "Unknown: mutex: session is expired");
      await lease.leaseRevoke({ ID: 1n });
      assert.equal(textOf((await third).key), "l/3");
    });

    it("is refused in the words of etcd, which has no codes for them", async (t) => {
      const { lock } = await withLeases(t, way);
      const refused = (name: string, lease: bigint) => refusalOf(lock.lock({ name: bytes(name), lease }));
      assert.equal(await refused("l", 5n), "Unknown: etcdserver: requested lease not found");
      assert.equal(await refused("l", -5n), "Unknown: etcdserver: requested lease not found");
      assert.equal(await refusalOf(lock.unlock({})), "Unknown: etcdserver: key is not provided");
      const large = lock.lock({ name: new Uint8Array(1_500_000), lease: 5n });
      assert.equal(await refusalOf(large), "Unknown: etcdserver: request is too large");
    });
  });

describe("a lock of etcd", () => {
  it("is given a lease where none is brought", async (t) => {
    const { lock, lease, kv } = await openEtcd(t);
    const { key } = await lock.lock({ name: bytes("l") });
    const [own] = (await lease.leaseLeases({})).leases;
    assert.equal(textOf(key), `l/${own?.ID.toString(16) ?? ""}`);
    assert.equal((await lease.leaseTimeToLive({ ID: own?.ID ?? 0n })).grantedTTL, 60n);
    const unlocked = await lock.unlock({ key });
    assert.equal(unlocked.header?.revision, 3n);
    assert.equal((await kv.range({ key })).count, 0n);
    assert.equal((await lock.unlock({ key })).header?.revision, 3n);
  });

  it("goes on when its owner's end is in a part of the history that was given up", async (t) => {
    const client = await withLeases(t, "fast", 1n, 2n);
    const { lock, kv, member } = client;
    await lock.lock({ name: bytes("l"), lease: 1n });
    const waiting = lock.lock({ name: bytes("l"), lease: 2n });
    await standing(client, 2);
    while (member.watches.calls === 0) await new Promise(setImmediate);
    const wake = member.watches.wake.bind(member.watches);
    // The watch comes to read when all of it is over.
    member.watches.wake = () => undefined;
    await lock.unlock({ key: bytes("l/1") });
    await kv.put({ key: bytes("other") });
    await kv.compact({ revision: 5n });
    wake();
    assert.equal(textOf((await waiting).key), "l/2");
  });
});

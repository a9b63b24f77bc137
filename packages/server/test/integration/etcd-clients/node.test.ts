/** The client `etcd3` from npm: its locks, elections, transactional memory, leases and watches. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { Cluster } from "@dkv/cluster";
import type { Etcd3 } from "etcd3";
import { certificates, longLivedCluster } from "../fixture.ts";
import { changeLeader } from "./programs.ts";

const etcd3 = await import("etcd3").catch(() => undefined);

/** Isolation.Serializable. With the level before it this client never gets to write two keys of different ages. */
const serializable = 1;

let cluster: Cluster;

async function connect(test: TestContext): Promise<Etcd3> {
  assert.ok(etcd3 !== undefined);
  const rootCertificate = readFileSync(join(await certificates(), "ca.pem"));
  const hosts = cluster.members.map(({ clientAddress }) => `https://${clientAddress}`);
  const client = new etcd3.Etcd3({ hosts, credentials: { rootCertificate } });
  test.after(() => {
    client.close();
  });
  return client;
}

describe("the client etcd3 from npm", {
  skip: etcd3 === undefined ? "npm install: etcd3 is not installed" : false,
}, () => {
  before(async () => {
    cluster = await longLivedCluster();
  });

  it("puts, gets, deletes and compares", async (test) => {
    const client = await connect(test);
    await client.put("keys/a").value("1");
    const before = await client
      .put("keys/a")
      .value(Buffer.from([0, 255]))
      .getPrevious();
    assert.equal(before?.value.toString(), "1");
    assert.deepEqual(await client.get("keys/a").buffer(), Buffer.from([0, 255]));
    await client.put("keys/b").value("2");
    assert.deepEqual(await client.getAll().prefix("keys/").sort("Key", "Descend").keys(), [
      "keys/b",
      "keys/a",
    ]);
    assert.equal(await client.get("keys/none").string(), null);
    const { succeeded, responses } = await client
      .if("keys/a", "Version", "==", 2)
      .and("keys/b", "Value", "==", "2")
      .then(client.put("keys/c").value("3"), client.get("keys/c"))
      .else(client.put("keys/c").value("wrong"))
      .commit();
    assert.equal(succeeded, true);
    assert.equal(responses[1]?.response_range.kvs[0]?.value.toString(), "3");
    assert.equal((await client.delete().prefix("keys/")).deleted, "3");
  });

  it("counts under a lock", async (test) => {
    const clients = await Promise.all([connect(test), connect(test), connect(test)]);
    const count = async (client: Etcd3): Promise<void> => {
      for (let turn = 0; turn < 4; turn += 1) {
        const lock = await untilLocked(client, "locks/counter");
        const found = await client.get("locks/count").number();
        await client.put("locks/count").value((found ?? 0) + 1);
        await lock.release();
      }
    };
    await Promise.all(clients.map(count));
    assert.equal(await clients[0].get("locks/count").number(), 12);
  });

  it("elects one leader after the other, and observes them", async (test) => {
    const client = await connect(test);
    const election = client.election("one", 5);
    const observer = await election.observe();
    const seen: (string | undefined)[] = [];
    observer.on("change", (leader) => seen.push(leader));
    for (const name of ["first", "second"]) {
      const campaign = election.campaign(name);
      await campaign.wait();
      while (observer.leader() !== name) await once(observer, "change");
      assert.equal(await election.leader(), name);
      await campaign.resign();
    }
    await observer.cancel();
    assert.deepEqual(
      seen.filter((leader) => leader !== undefined),
      ["first", "second"],
    );
  });

  it("moves money in transactional memory", async (test) => {
    const client = await connect(test);
    const accounts = ["stm/0", "stm/1", "stm/2"];
    for (const account of accounts) await client.put(account).value(100);
    const move = async (from: string, to: string): Promise<void> => {
      await client.stm({ retries: 50, isolation: serializable }).transact(async (state) => {
        const left = (await state.get(from).number()) ?? 0;
        const has = (await state.get(to).number()) ?? 0;
        await state.put(from).value(left - 7);
        await state.put(to).value(has + 7);
      });
    };
    const circle = accounts.map((account, at) => [account, accounts[(at + 1) % 3] ?? ""] as const);
    await Promise.all([...circle, ...circle].map(([from, to]) => move(from, to)));
    const held = await client.getAll().prefix("stm/").numbers();
    assert.deepEqual(Object.values(held), [100, 100, 100]);
  });

  it("keeps a lease alive, and sees its key end when it is revoked", async (test) => {
    const client = await connect(test);
    const lease = client.lease(2);
    await lease.put("leases/kept").value("here");
    const watcher = await client.watch().key("leases/kept").create();
    const deleted = once(watcher, "delete");
    for (let renewals = 0; renewals < 4; renewals += 1) await once(lease, "keepaliveSucceeded");
    assert.equal(await client.get("leases/kept").string(), "here");
    await lease.revoke();
    await deleted;
    await watcher.cancel();
    assert.equal(await client.get("leases/kept").string(), null);
  });

  it("misses nothing and keeps its lease over a change of leaders", async (test) => {
    const client = await connect(test);
    const lease = client.lease(10);
    await lease.put("change/leased").value("here");
    const watcher = await client.watch().key("change/key").create();
    const seen = new Map<string, number>();
    const revisions: number[] = [];
    watcher.on("put", ({ value, mod_revision }) => {
      seen.set(value.toString(), Number(mod_revision));
      revisions.push(Number(mod_revision));
    });
    const acknowledged = new Map<string, number>();
    let changing: Promise<void> | undefined;
    for (let number = 0; acknowledged.size < 150; number += 1) {
      if (acknowledged.size === 50) changing ??= changeLeader(cluster);
      await client
        .put("change/key")
        .value(number)
        .then(
          ({ header }) => acknowledged.set(String(number), Number(header.revision)),
          () => undefined,
        );
    }
    await changing;
    const last = Math.max(...acknowledged.values());
    while ((revisions.at(-1) ?? 0) < last) await once(watcher, "put");
    for (const [value, revision] of acknowledged) assert.equal(seen.get(value), revision, value);
    assert.deepEqual(
      revisions,
      [...new Set(revisions)].sort((a, b) => a - b),
    );
    assert.equal(await client.get("change/leased").string(), "here");
    await watcher.cancel();
    await lease.revoke();
  });
});

/** This client refuses a lock that is taken, and has whoever asks ask again. */
async function untilLocked(client: Etcd3, name: string): Promise<{ release(): Promise<void> }> {
  for (;;) {
    const lock = client.lock(name).ttl(10);
    const held = await lock.acquire().catch((error: unknown) => {
      if (etcd3 !== undefined && error instanceof etcd3.EtcdLockFailedError) return undefined;
      throw error;
    });
    if (held !== undefined) return held;
  }
}

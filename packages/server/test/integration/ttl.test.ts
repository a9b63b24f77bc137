import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { DkvClient, Watch, WatchEvent } from "@dkv/client";
import { addresses, connect, connectToEach, runningCluster, text } from "./fixture.ts";
import { killLeader } from "./killing.ts";

const flags = { "election-timeout": "500ms" };

/** A key's deletion; whatever else happens to it before is passed over. */
async function deletion(watch: Watch, key: string): Promise<WatchEvent> {
  for await (const event of watch) if (event.kind === "delete" && event.kv.key === key) return event;
  return assert.fail("the watch ended");
}

async function openWatch(client: DkvClient, key: string): Promise<Watch> {
  const watch = client.watch({ key });
  await watch.open();
  return watch;
}

/** Resolves when a key with this time to live is gone, which is set now: nobody's clock but the cluster's. */
async function oneLife(client: DkvClient, ttlSeconds: number): Promise<void> {
  const key = "hourglass";
  const watch = await openWatch(client, key);
  await client.set(key, "", { ttlSeconds });
  await deletion(watch, key);
}

/** Sets a key and lets it expire. `meanwhile` happens in its lifetime, or prolongs it. */
async function expire(test: TestContext, { meanwhile }: { meanwhile: "nothing" | "leader killed" }) {
  const cluster = await runningCluster(test, "tls", { flags });
  const client = await connect(test, "tls", addresses(cluster));
  const each = await connectToEach(test, "tls", cluster.members);
  const watches = await Promise.all(each.map((one) => openWatch(one, "key")));
  const ttlSeconds = 3;
  const startedAt = performance.now();
  const { header } = await client.set("key", "value", { ttlSeconds });
  if (meanwhile === "leader killed") await killLeader(cluster);
  const deletions = await Promise.all(watches.map((watch) => deletion(watch, "key")));
  const livedMs = performance.now() - startedAt;
  assert.ok(livedMs >= ttlSeconds * 1000, `it was gone after ${livedMs.toFixed(0)} ms`);
  const revisions = deletions.map(({ kv }) => kv.modRevision);
  assert.deepEqual(revisions, [header.revision + 1, header.revision + 1, header.revision + 1]);
  for (const one of each) {
    assert.equal(await one.get("key", { serializable: true }), undefined);
    assert.equal(text((await one.get("key", { revision: header.revision }))?.value), "value");
  }
  assert.deepEqual((await client.listLeases()).ids, [], "the lease is gone with its key");
  test.diagnostic(`it lived ${livedMs.toFixed(0)} ms`);
}

describe("a key with a time to live", { timeout: 120_000 }, () => {
  it("is gone on all members at the same revision, and not before its time", async (test) => {
    await expire(test, { meanwhile: "nothing" });
  });

  it("is so, too, when its leader is killed meanwhile", async (test) => {
    await expire(test, { meanwhile: "leader killed" });
  });

  it("lives for ever once it is set without one", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const client = await connect(test, "tls", addresses(cluster));
    await client.set("key", "mortal", { ttlSeconds: 1 });
    await client.set("key", "immortal");
    await oneLife(client, 2);
    assert.equal(text((await client.get("key"))?.value), "immortal");
  });
});

describe("a lease that is kept alive", { timeout: 120_000 }, () => {
  it("keeps its keys over the deaths of leaders, and takes them with it when it is closed", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const client = await connect(test, "tls", addresses(cluster));
    const lease = await client.lease(2);
    const keys = ["kept/a", "kept/b"];
    const txn = await Promise.all(keys.map((key) => client.set(key, "", { lease })));
    const watch = client.watch({ prefix: "kept/" }, { startRevision: (txn[0]?.header.revision ?? 0) + 1 });
    for (let kill = 0; kill < 2; kill += 1) {
      await killLeader(cluster);
      // As long as it would have lived by itself, counted by the leader that there is now.
      await oneLife(client, 2);
      for (const key of keys) assert.equal((await client.get(key))?.lease, lease.id);
    }
    assert.ok(!lease.lost.aborted);
    await lease.close();
    const ends: WatchEvent[] = [];
    for await (const event of watch) if (event.kind === "delete" && ends.push(event) === 2) break;
    assert.deepEqual(
      ends.map(({ kv }) => kv.key),
      keys,
    );
    assert.equal(ends[0]?.kv.modRevision, ends[1]?.kv.modRevision, "both at once");
  });
});

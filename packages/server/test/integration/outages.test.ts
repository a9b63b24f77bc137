import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvClient, DkvClientError } from "@dkv/client";
import { addresses, connect, runningCluster, text } from "./fixture.ts";

describe("a cluster of which members fail", () => {
  it("has everything after kill -9 of all members and a restart", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const client = await connect(test, "tls", addresses(cluster));
    const keys = Array.from({ length: 500 }, (_, at) => `key-${String(at)}`);
    await Promise.all(keys.map((key) => client.set(key, `value of ${key}`)));
    await Promise.all(cluster.members.map((member) => member.kill()));
    await cluster.start();
    await cluster.waitForLeader();
    for (const key of keys) assert.equal(text((await client.get(key))?.value), `value of ${key}`);
  });

  it("refuses writes in bounded time without a quorum, says so, and still serves serializable reads", async (test) => {
    const cluster = await runningCluster(test, "cleartext");
    const [survivor, ...others] = cluster.members;
    assert.ok(survivor !== undefined);
    const client = await connect(test, "cleartext", addresses(cluster));
    await client.set("key", "value");
    await client.get("key");
    // The survivor may learn of the commit with the next heartbeat only.
    const local = new DkvClient({ endpoints: [survivor.clientAddress], timeoutMs: 20_000 });
    test.after(() => {
      local.close();
    });
    await local.get("key");
    await Promise.all(others.map((member) => member.kill()));
    const startedAt = performance.now();
    await assert.rejects(local.set("key", "other", { timeoutMs: 6000 }), (error) => {
      assert.ok(error instanceof DkvClientError);
      assert.match(error.message, /quorum/);
      return true;
    });
    await assert.rejects(local.get("key", { timeoutMs: 6000 }), /quorum/);
    assert.ok(performance.now() - startedAt < 15_000);
    assert.equal(text((await local.get("key", { serializable: true }))?.value), "value");
  });

  it("goes on when a follower is away, and brings it up to date when it returns", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const leader = await cluster.waitForLeader();
    const follower = cluster.members.find((member) => member.name !== leader);
    assert.ok(follower !== undefined);
    const client = await connect(test, "tls", addresses(cluster));
    await follower.kill();
    for (let at = 0; at < 200; at += 1) await client.set(`key-${String(at)}`, String(at));
    follower.start();
    await follower.waitReady();
    const there = await connect(test, "tls", [follower.clientAddress]);
    assert.equal(text((await there.get("key-199"))?.value), "199");
    assert.equal(text((await there.get("key-199", { serializable: true }))?.value), "199");
  });

  it("serves no stale read from a leader that was paused and does not know that it was deposed", async (test) => {
    const cluster = await runningCluster(test, "cleartext");
    const old = cluster.member(await cluster.waitForLeader());
    const others = cluster.members.filter((member) => member !== old);
    const client = await connect(
      test,
      "cleartext",
      others.map((member) => member.clientAddress),
    );
    await client.set("key", "before");
    old.pause();
    await writeInTheEnd(client, "key", "after");
    const paused = await connect(test, "cleartext", [old.clientAddress]);
    const answer = paused.get("key");
    old.resume();
    assert.equal(text((await answer)?.value), "after");
  });

  it("hands leadership over and exits with 0 when its leader is told to stop", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const leader = cluster.member(await cluster.waitForLeader());
    const client = await connect(test, "tls", addresses(cluster));
    await client.set("key", "value");
    const ending = await leader.stop("SIGTERM");
    assert.equal(ending.code, 0);
    assert.ok(leader.log.some((line) => line.includes("handed leadership over")));
    assert.equal(text((await client.get("key"))?.value), "value");
  });

  it("answers the same through each member, whoever leads", async (test) => {
    const cluster = await runningCluster(test, "tls");
    const each = await Promise.all(
      cluster.members.map((member) => connect(test, "tls", [member.clientAddress])),
    );
    for (const [at, writer] of each.entries()) {
      const written = await writer.set("key", `from ${String(at)}`);
      for (const reader of each) {
        const found = await reader.get("key");
        assert.equal(text(found?.value), `from ${String(at)}`);
        assert.equal(found?.modRevision, written.header.revision);
      }
    }
    const [first] = each;
    assert.deepEqual(await first?.delete("key").then(({ deleted }) => deleted), true);
    for (const reader of each) assert.equal(await reader.get("key"), undefined);
  });
});

/** A client follows the leader, also to one that stands still; writing the same again does no harm. */
async function writeInTheEnd(client: DkvClient, key: string, value: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await client.set(key, value, { timeoutMs: 2000 });
      return;
    } catch (error) {
      if (!(error instanceof DkvClientError) || attempt === 10) throw error;
    }
  }
}

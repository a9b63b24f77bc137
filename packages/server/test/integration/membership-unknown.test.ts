import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addresses, connect, followersIn, grow, runningCluster } from "./fixture.ts";

const flags = { "election-timeout": "500ms" };

describe("a member that does not know who leads", () => {
  it("follows it although it was away when that one was added", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const [away] = await followersIn(cluster);
    const others = addresses(cluster).filter((address) => address !== away.clientAddress);
    const client = await connect(test, "tls", others);
    await away.stop();
    await grow(cluster, client, "dkv-3");
    await client.moveLeader("dkv-3");
    await client.set("key", "value");
    away.start();
    await away.waitReady();
    const there = await connect(test, "tls", [away.clientAddress]);
    const { value } = (await there.get("key", { timeoutMs: 20_000 })) ?? assert.fail("it is there");
    assert.equal(Buffer.from(value).toString(), "value");
  });

  it("keeps it although an older part of the log does not name it", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    await grow(cluster, client, "dkv-3");
    // More than one append, so that the newcomer goes by what the log says before dkv-4 came.
    for (let count = 0; count < 40; count += 1) await client.set(`key${String(count)}`, "v".repeat(200_000));
    await grow(cluster, client, "dkv-4");
    await client.moveLeader("dkv-4");
    await grow(cluster, client, "dkv-5");
  });
});

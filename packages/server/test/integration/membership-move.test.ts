import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freePorts } from "@dkv/cluster";
import { addresses, connect, followersIn, runningCluster, text } from "./fixture.ts";

const flags = { "election-timeout": "500ms" };

async function freeAddresses(count: number): Promise<string[]> {
  return (await freePorts(count)).map((port) => `localhost:${String(port)}`);
}

describe("a member that moves to another address", { timeout: 120_000 }, () => {
  it("is found there by the others once member-update has told them", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const [moving, other] = await followersIn(cluster);
    const client = await connect(test, "tls", addresses(cluster));
    const [address = ""] = await freeAddresses(1);
    await moving.stop();
    await client.memberUpdate(moving.name, address);
    await client.memberUpdate(moving.name, address);
    await assert.rejects(client.memberUpdate("nobody", address), /no member is called nobody/);
    await assert.rejects(client.memberUpdate(other.name, address), /is the address of/);
    moving.start({ "listen-peer-address": address });
    await moving.waitReady();
    const listed = (await client.members()).members.find(({ id }) => id === moving.name);
    assert.equal(listed?.raftAddress, address);
    // It is needed now.
    await other.kill();
    await client.set("key", "value", { timeoutMs: 10_000 });
    const there = await connect(test, "tls", [moving.clientAddress]);
    assert.equal(text((await there.get("key"))?.value), "value");
  });

  it("may take all others with it: after member-update of each, the whole cluster starts at new addresses", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const client = await connect(test, "tls", addresses(cluster));
    await client.set("key", "value");
    const moved = await freeAddresses(cluster.members.length);
    for (const [at, member] of cluster.members.entries())
      await client.memberUpdate(member.name, moved[at] ?? "", { timeoutMs: 10_000 });
    await client.set("between", "still served");
    await cluster.stop();
    for (const [at, member] of cluster.members.entries())
      member.start({ "listen-peer-address": moved[at] ?? "" });
    await Promise.all(cluster.members.map((member) => member.waitReady()));
    await cluster.waitForLeader();
    assert.equal(text((await client.get("key"))?.value), "value");
    assert.deepEqual(
      (await client.members()).members.map(({ raftAddress }) => raftAddress),
      moved,
    );
  });
});

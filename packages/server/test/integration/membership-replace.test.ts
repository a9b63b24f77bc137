import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import type { Member } from "@dkv/cluster";
import {
  addresses,
  connect,
  connectToEach,
  followersIn,
  lastWords,
  preparedCluster,
  runningCluster,
  startAnew,
  text,
  wasRemoved,
} from "./fixture.ts";
import { startRecordedLoad, stopAndCheck } from "./recorded-load.ts";

const flags = { "election-timeout": "500ms" };

describe("a member whose disk was lost", { timeout: 120_000 }, () => {
  it("is replaced under load by one of the same name and address, or of another name, be it the leader", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const clients = await connectToEach(test, "tls", cluster.members);
    const everywhere = await connect(test, "tls", addresses(cluster));
    const load = startRecordedLoad(clients, { writers: 12, keys: 12 });
    await load.more(100);

    const [victim] = await followersIn(cluster);
    const before = (await everywhere.members()).members.find(({ id }) => id === victim.name);
    await victim.kill();
    const { name, peerAddress } = victim;
    await everywhere.memberReplace({ oldId: name, id: name, address: peerAddress });
    await load.more(50);
    await startAnew(victim);
    await cluster.waitForVoters(cluster.members.map((member) => member.name));
    const after = (await everywhere.members()).members.find(({ id }) => id === name);
    assert.notEqual(after?.memberId, before?.memberId, "it is another member, by the same name");

    const leader = cluster.member(await cluster.waitForLeader());
    await leader.kill();
    const newcomer = await cluster.newMember("dkv-new");
    await cluster.waitForVoters(["dkv-0", "dkv-1", "dkv-2"]);
    await everywhere.memberReplace(
      { oldId: leader.name, id: newcomer.name, address: newcomer.peerAddress },
      { timeoutMs: 10_000 },
    );
    cluster.forget(leader);
    newcomer.start();
    await newcomer.waitReady();
    await cluster.waitForVoters(cluster.members.map((member) => member.name));
    await load.more(100);
    await stopAndCheck(load);

    // Both newcomers are needed now.
    const old = cluster.members.find((member) => member !== victim && member !== newcomer);
    await old?.kill();
    const rest = await connect(test, "tls", [victim.clientAddress, newcomer.clientAddress]);
    await rest.set("after", "all", { timeoutMs: 10_000 });
  });
});

describe("a voter whose disk was lost", { timeout: 120_000 }, () => {
  it("does not come back without being replaced, and says so", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const [victim] = await followersIn(cluster);
    await victim.kill();
    rmSync(victim.dataDir, { recursive: true });
    victim.start({ "initial-cluster-state": "existing" });
    const { name } = victim;
    const what = `${name} is a voter of this cluster, and its votes are lost with its data`;
    assert.match(
      await lastWords(victim, 1),
      new RegExp(`${what}: replace it with \`dkvctl member-replace ${name} ${name} HOST:PORT\``),
    );
  });
});

describe("a voter that comes back as a new one while those it acknowledged to are away", {
  timeout: 120_000,
}, () => {
  it("is refused by a member that is behind, and loses no acknowledged write", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const [behind, ahead, victim] = cluster.members as [Member, Member, Member];
    await behind.waitForLine(/"members"(?!.*not heard of yet)/);
    // What it has applied is on its disk: the entry that it told of, too, once it reads a later one.
    const local = await connect(test, "cleartext", [behind.clientAddress]);
    await local.set("key", "early");
    assert.equal(text((await local.get("key"))?.value), "early");
    await behind.kill();
    const client = await connect(test, "cleartext", addresses(cluster));
    await client.set("key", "acknowledged");
    await ahead.kill();
    await victim.kill();
    rmSync(victim.dataDir, { recursive: true });
    behind.start();
    await behind.waitForLine(/ready for clients/);
    victim.start();
    assert.match(await lastWords(victim, 1), /its votes are lost with its data: replace it with/);
    ahead.start();
    await Promise.all([behind.waitReady(), ahead.waitReady()]);
    assert.equal(text((await client.get("key"))?.value), "acknowledged");
    const { name, peerAddress: address } = victim;
    await client.memberReplace({ oldId: name, id: name, address }, { timeoutMs: 10_000 });
    await startAnew(victim);
    await cluster.waitForVoters(cluster.members.map((member) => member.name));
  });
});

describe("a voter that comes back as a new one beside another that never was there", {
  timeout: 120_000,
}, () => {
  it("leads nobody astray who has what was acknowledged, and who has it says what is wrong", async (test) => {
    const cluster = await preparedCluster(test, "cleartext", { flags });
    const [whole, victim, late] = cluster.members as [Member, Member, Member];
    const start = async (...members: readonly Member[]): Promise<void> => {
      for (const member of members) member.start();
      await Promise.all(members.map((member) => member.waitReady()));
    };
    await start(whole, victim);
    const client = await connect(test, "cleartext", [whole.clientAddress]);
    await whole.waitForLine(/"members":"dkv-0, dkv-1, dkv-2 \(not heard of yet\)"/);
    await client.set("key", "acknowledged");
    // What it has applied by then it shows without a quorum, too.
    await whole.stop();
    await victim.kill();
    rmSync(victim.dataDir, { recursive: true });
    // Nobody can know that these two are not a new cluster.
    await start(victim, late);
    await late.waitForLine(/"members"(?!.*dkv-[12] \(not heard of yet)/);
    const other = await connect(test, "cleartext", [late.clientAddress]);
    await other.set("other", "value");
    whole.start();
    await whole.waitForLine(/has data of another history/);
    await assert.rejects(client.get("key", { timeoutMs: 1000 }));
    assert.equal(text((await client.get("key", { serializable: true }))?.value), "acknowledged");
    assert.equal(text((await other.get("other"))?.value), "value");
  });
});

describe("a replacement whose leader is killed", { timeout: 120_000 }, () => {
  it("before the new member has come is finished by the next leader", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    await client.set("key", "value");
    const leader = cluster.member(await cluster.waitForLeader());
    const [old] = await followersIn(cluster);
    const newcomer = await cluster.newMember("dkv-3");
    await client.memberReplace({ oldId: old.name, id: newcomer.name, address: newcomer.peerAddress });
    await leader.kill();
    const words = lastWords(old, 0);
    newcomer.start();
    await newcomer.waitReady();
    assert.match(await words, wasRemoved);
    cluster.forget(old);
    leader.start();
    await leader.waitReady();
    await cluster.waitForVoters(cluster.members.map((member) => member.name));
    assert.equal(text((await client.get("key"))?.value), "value");
  });

  it("in the midst of the joint step is finished by the next leader", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    await client.set("key", "value");
    const leader = cluster.member(await cluster.waitForLeader());
    const [old] = await followersIn(cluster);
    const newcomer = await cluster.newMember("dkv-3");
    await client.memberReplace({ oldId: old.name, id: newcomer.name, address: newcomer.peerAddress });
    const isPromoting = leader.waitForLine(/promoting a learner that has caught up/);
    const words = lastWords(old, 0);
    newcomer.start();
    await isPromoting;
    await leader.kill();
    await newcomer.waitReady();
    assert.match(await words, wasRemoved);
    cluster.forget(old);
    leader.start();
    await leader.waitReady();
    await cluster.waitForVoters(cluster.members.map((member) => member.name));
    assert.equal(text((await client.get("key"))?.value), "value");
  });
});

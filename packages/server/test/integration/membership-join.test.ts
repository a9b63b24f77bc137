import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DkvClientError } from "@dkv/client";
import { addresses, connect, connectToEach, followersIn, memberAt, runningCluster, text } from "./fixture.ts";

const flags = { "election-timeout": "500ms" };

/** It may be called with any failure; only a refusal for this reason will do. */
function refusal(code: DkvClientError["code"], words: RegExp) {
  return (error: DkvClientError): boolean => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  };
}

describe("a new member", { timeout: 120_000 }, () => {
  it("that is started before it was added waits, says why, and comes up once it is", async (test) => {
    const cluster = await runningCluster(test, "tls", { members: 1, flags });
    const client = await connect(test, "tls", addresses(cluster));
    await client.set("key", "value");
    const newcomer = await cluster.newMember("dkv-1");
    newcomer.start();
    const line = await newcomer.waitForLine(/not a member yet; asking again/);
    assert.match(line, /no member named dkv-1: add it with `dkvctl member-join dkv-1 HOST:PORT`/);
    await client.memberJoin(newcomer.name, newcomer.peerAddress);
    await newcomer.waitReady();
    await cluster.waitForVoters(["dkv-0", "dkv-1"]);
    const there = await connect(test, "tls", [newcomer.clientAddress]);
    assert.equal(text((await there.get("key"))?.value), "value");
  });

  it("may be added twice, but not with another's address or under another's name", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { members: 1, flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    const first = memberAt(cluster, 0);
    const newcomer = await cluster.newMember("dkv-1");
    await client.memberJoin(newcomer.name, newcomer.peerAddress);
    await client.memberJoin(newcomer.name, newcomer.peerAddress);
    await assert.rejects(
      client.memberJoin(newcomer.name, "localhost:1"),
      refusal("member_exists", /dkv-1 is a member at .*choose another name, or .* member-update/),
    );
    await assert.rejects(
      client.memberJoin("dkv-2", first.peerAddress),
      refusal("member_exists", /is the address of dkv-0/),
    );
    const { members } = await client.members();
    assert.deepEqual(
      members.map(({ id, isLearner }) => [id, isLearner]),
      [
        ["dkv-0", false],
        ["dkv-1", true],
      ],
    );
  });

  it("stays a learner with --auto-promote=false, and becomes a voter by member-promote once it has caught up", async (test) => {
    const manual = { ...flags, "auto-promote": "false" };
    const cluster = await runningCluster(test, "cleartext", { members: 1, flags: manual });
    const client = await connect(test, "cleartext", addresses(cluster));
    await client.set("key", "value");
    const newcomer = await cluster.newMember("dkv-1");
    await client.memberJoin(newcomer.name, newcomer.peerAddress);
    await assert.rejects(
      client.memberPromote(newcomer.name, { timeoutMs: 1000 }),
      refusal("not_caught_up", /dkv-1 has not caught up with the log yet, or does not answer/),
    );
    await assert.rejects(
      client.moveLeader(newcomer.name),
      refusal("not_voter", /dkv-1 is a learner and cannot lead: promote it first/),
    );
    newcomer.start();
    await newcomer.waitReady();
    await cluster.waitForVoters(["dkv-0", "dkv-1 (learner)"]);
    const there = await connect(test, "cleartext", [newcomer.clientAddress]);
    assert.equal(text((await there.get("key"))?.value), "value", "a learner serves reads");
    await there.memberPromote(newcomer.name);
    await cluster.waitForVoters(["dkv-0", "dkv-1"]);
  });
});

describe("the list of members", { timeout: 120_000 }, () => {
  it("is the same through each member, with roles, logs, versions and contact filled in", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const leader = await cluster.waitForLeader();
    const newcomer = await cluster.newMember("dkv-3");
    const clients = await connectToEach(test, "tls", cluster.members.slice(0, 3));
    const [through] = clients;
    assert.ok(through !== undefined);
    await through.set("key", "value");
    await through.memberJoin(newcomer.name, newcomer.peerAddress);
    for (const [at, client] of clients.entries()) {
      const { members } = await client.members();
      assert.deepEqual(
        members.map(({ id, raftAddress, isLeader, isLearner }) => [id, raftAddress, isLeader, isLearner]),
        cluster.members.map(({ name, peerAddress }) => [
          name,
          peerAddress,
          name === leader,
          name === "dkv-3",
        ]),
        `through dkv-${String(at)}`,
      );
      for (const member of members.slice(0, 3)) {
        const { clientAddress } = cluster.member(member.id);
        assert.equal(member.rpcAddress, clientAddress);
        assert.equal(member.isReachable, true);
        assert.ok(member.match !== undefined && member.match > 0, member.id);
        assert.ok(member.lag !== undefined, member.id);
        assert.match(member.version ?? "", /^\d+\.\d+\.\d+/);
        assert.ok(member.lastContactMs !== undefined && member.lastContactMs < 5000);
      }
      const last = members.at(-1);
      assert.deepEqual(
        [last?.match, last?.isReachable, last?.lastContactMs, last?.version],
        [0, false, undefined, undefined],
        "it was not started yet",
      );
      assert.ok((last?.lag ?? 0) > 0);
    }
  });
});

describe("leadership", { timeout: 120_000 }, () => {
  it("moves to the voter that is named, asked through any member, and to nobody else", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const [first, second] = await followersIn(cluster);
    const client = await connect(test, "cleartext", [second.clientAddress]);
    await client.moveLeader(first.name);
    assert.equal(await cluster.waitForLeader(), first.name);
    await client.moveLeader(first.name);
    await client.moveLeader(second.name);
    assert.equal(await cluster.waitForLeader(), second.name);
    await assert.rejects(
      client.moveLeader("nobody"),
      refusal("unknown_member", /no member is called nobody/),
    );
  });
});

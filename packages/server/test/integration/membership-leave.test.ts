import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DkvClientError } from "@dkv/client";
import {
  addresses,
  connect,
  followersIn,
  lastWords,
  runningCluster,
  startAnew,
  text,
  wasRemoved,
} from "./fixture.ts";

const flags = { "election-timeout": "500ms" };

describe("a member that left", { timeout: 120_000 }, () => {
  it("stays gone though --initial-cluster names it, whatever is restarted, until it is added anew", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const [leaving, other] = await followersIn(cluster);
    const leader = cluster.member(await cluster.waitForLeader());
    const client = await connect(test, "tls", [other.clientAddress, leader.clientAddress]);
    await client.set("key", "value");
    const words = lastWords(leaving, 0);
    await client.memberLeave(leaving.name);
    assert.match(await words, wasRemoved);
    const told = leaving.log.filter((line) => /"warn".*this member was removed.*; stopping"/.test(line));
    assert.equal(told.length, 1, "its log says so too");

    for (const member of [leader, other]) await member.kill();
    for (const member of [leader, other]) member.start();
    for (const member of [leader, other]) await member.waitReady();
    await cluster.waitForVoters([leader.name, other.name]);
    // Leaving again does no harm.
    await client.memberLeave(leaving.name, { timeoutMs: 10_000 });

    leaving.start();
    assert.match(await lastWords(leaving, 1), wasRemoved);
    // Without its own note it learns it from the others.
    rmSync(join(leaving.dataDir, "removed"));
    leaving.start();
    assert.match(await lastWords(leaving, 0), wasRemoved);
    leaving.start();
    assert.match(await lastWords(leaving, 1), wasRemoved);
    await cluster.waitForVoters([leader.name, other.name]);

    await client.memberJoin(leaving.name, leaving.peerAddress);
    leaving.start({ "initial-cluster-state": "existing" });
    assert.match(await lastWords(leaving, 1), wasRemoved, "its old data are of no use");
    await startAnew(leaving);
    await cluster.waitForVoters(cluster.members.map(({ name }) => name));
    const there = await connect(test, "tls", [leaving.clientAddress]);
    assert.equal(text((await there.get("key"))?.value), "value");
    await cluster.stop();
    await cluster.start();
    await cluster.waitForVoters(cluster.members.map(({ name }) => name));
  });
});

describe("a member that shall leave", { timeout: 120_000 }, () => {
  it("stays if it is the last voter", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { members: 1, flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    await assert.rejects(client.memberLeave("dkv-0"), refusal("quorum_at_risk", /dkv-0 is the last voter/));
    await client.set("key", "value");
  });

  it("stays if too few of the others answer, and is told from one that nobody knows", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const [silent, leaving] = await followersIn(cluster);
    const leader = cluster.member(await cluster.waitForLeader());
    const client = await connect(test, "cleartext", [leaving.clientAddress]);
    await assert.rejects(
      client.memberLeave("nobody"),
      refusal("unknown_member", /no member is called nobody; there are dkv-0, dkv-1, dkv-2/),
    );

    await silent.kill();
    const watcher = await connect(test, "cleartext", [leader.clientAddress]);
    // The leader takes one that it heard less than an election timeout ago for answering.
    const silenceMs = async (): Promise<number> =>
      (await watcher.members()).members.find((one) => one.id === silent.name)?.lastContactMs ?? 0;
    while ((await silenceMs()) < 2000);
    await assert.rejects(
      client.memberLeave(leaving.name),
      refusal(
        "quorum_at_risk",
        new RegExp(`2 voters would remain, of which 2 must answer, and ${silent.name} does not`),
      ),
    );
    // The one that is silent anyway may go.
    await client.memberLeave(silent.name);
    await cluster.waitForVoters([leader.name, leaving.name]);
    await client.set("key", "value");
  });
});

function refusal(code: DkvClientError["code"], words: RegExp) {
  return (error: DkvClientError): boolean => {
    assert.equal(error.code, code, error.message);
    assert.equal(error.retry, "never");
    assert.match(error.message, words);
    return true;
  };
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  addresses,
  connect,
  followersIn,
  lastWords,
  preparedCluster,
  runningCluster,
  startAnew,
  text,
  wasRemoved,
} from "./fixture.ts";

const flags = { "election-timeout": "500ms" };

describe("a cluster that has lost its majority for good", { timeout: 120_000 }, () => {
  it("goes on with its survivor alone, refuses the others' old data, and grows back to three", async (test) => {
    const cluster = await runningCluster(test, "tls", { flags });
    const client = await connect(test, "tls", addresses(cluster));
    const keys = Array.from({ length: 50 }, (_, at) => `key-${String(at)}`);
    await Promise.all(keys.map((key) => client.set(key, `value of ${key}`)));
    const survivor = cluster.member(await cluster.waitForLeader());
    const lost = await followersIn(cluster);
    await Promise.all(cluster.members.map((member) => member.kill()));

    survivor.start({ "force-new-cluster": true });
    const usage = await lastWords(survivor, 2);
    assert.match(usage, /writes that only the other members have are lost.* add --yes/);

    survivor.start({ "force-new-cluster": true, yes: true });
    await survivor.waitReady();
    assert.match(
      await survivor.waitForLine(/the only one of its cluster now/),
      /the others must not run with the data they have/,
    );
    await cluster.waitForVoters([survivor.name]);
    const afterwards = survivor.log.slice(survivor.log.findIndex((line) => /the only one of its/.test(line)));
    const dials = afterwards.filter((line) => /cannot reach peer/.test(line));
    assert.deepEqual(dials, [], "those that it has just removed are left alone");
    const there = await connect(test, "tls", [survivor.clientAddress]);
    for (const key of keys)
      assert.equal(text((await there.get(key, { timeoutMs: 10_000 }))?.value), `value of ${key}`);
    await there.set("after", "all");
    await survivor.kill();
    survivor.start();
    await survivor.waitReady();

    for (const member of lost) member.start();
    const words = await Promise.all(lost.map((member) => lastWords(member, 0)));
    for (const line of words) assert.match(line, wasRemoved);
    await cluster.waitForVoters([survivor.name]);

    for (const member of lost) {
      await there.memberJoin(member.name, member.peerAddress, { timeoutMs: 10_000 });
      await startAnew(member);
      await cluster.waitForVoters(
        cluster.members.filter(({ isRunning }) => isRunning).map(({ name }) => name),
      );
    }
    await survivor.kill();
    const rest = await connect(
      test,
      "tls",
      lost.map(({ clientAddress }) => clientAddress),
    );
    assert.equal(text((await rest.get("after", { timeoutMs: 10_000 }))?.value), "all");
    for (const key of keys) assert.equal(text((await rest.get(key))?.value), `value of ${key}`);
  });

  it("says so where there is nothing to go on with", async (test) => {
    const cluster = await preparedCluster(test, "cleartext", { members: 1, flags });
    const newcomer = await cluster.newMember("dkv-1");
    newcomer.start({ "force-new-cluster": true, yes: true });
    const words = await lastWords(newcomer, 1);
    assert.match(words, /^dkv: --force-new-cluster goes on with a member's data, and .* holds none/);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addresses, connect, followersIn, runningCluster } from "./fixture.ts";

const flags = {
  "heartbeat-interval": "60ms",
  "election-timeout": "400ms",
  "autopilot-cleanup-after": "4s",
};

describe("a cluster with --autopilot-cleanup-after", { timeout: 120_000 }, () => {
  it("removes a fourth member that is silent and a learner that never came, and keeps three voters", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { members: 4, flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    const [silent, other] = await followersIn(cluster);
    await silent.kill();
    cluster.forget(silent);
    const voters = cluster.members.map(({ name }) => name);
    await cluster.waitForVoters(voters);

    await other.kill();
    await client.memberJoin("dkv-4", "localhost:1", { timeoutMs: 10_000 });
    // The learner gets its time though the leader has led for longer; the voter has been silent for longer
    // then, and stays.
    await cluster.waitForVoters([...voters, "dkv-4 (learner)"]);
    await cluster.waitForVoters(voters);
    const leader = cluster.member(await cluster.waitForLeader());
    const removals = leader.log.filter((line) => line.includes("removing a member that has been silent"));
    assert.match(removals.at(-1) ?? "", /"member":"dkv-4"/);
  });

  it("keeps a silent voter while the one that is to replace it under its name does not come", async (test) => {
    const cluster = await runningCluster(test, "cleartext", { flags });
    const client = await connect(test, "cleartext", addresses(cluster));
    const [silent] = await followersIn(cluster);
    const { name, peerAddress } = silent;
    await silent.kill();
    await client.memberReplace({ oldId: name, id: name, address: peerAddress }, { timeoutMs: 10_000 });
    await client.memberJoin("dkv-4", "localhost:1", { timeoutMs: 10_000 });
    // One that came later has been silent for too long: so have they.
    await cluster.waitForVoters(["dkv-0", "dkv-1", "dkv-2", `${name} (learner)`]);
    assert.equal((await client.members()).members.length, 4);
  });
});

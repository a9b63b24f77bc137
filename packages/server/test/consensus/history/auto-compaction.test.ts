import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Running, set, until } from "../cluster.ts";
import { calmCluster, moveLeader, pass, threeMembers } from "../leases/fixtures.ts";
import { overwrite } from "./fixtures.ts";

const hour = 3600;

/** Members live through so many minutes, some at a time: so soon nothing can be on its way to a disk. */
async function live(members: readonly Running[], minutes: number): Promise<void> {
  for (let passed = 0; passed < minutes; passed += 6) {
    for (const member of members) {
      await member.replica.historyRemoved();
      pass(member, 360);
    }
  }
}

describe("history older than a time", () => {
  const autoCompaction = { mode: "periodic", retentionMs: hour * 1000 } as const;

  it("is given up once it is so old, and no sooner", async (test) => {
    const { leader: aLeader } = await calmCluster(test, 1, { autoCompaction });
    const leader = await aLeader();
    await overwrite(leader, 10);
    const early = leader.store.revision;
    await live([leader], 30);
    await overwrite(leader, 10);
    await live([leader], 24);
    await leader.replica.propose(set("key", "value"));
    assert.equal(leader.store.compaction.revision, -1);
    await live([leader], 12);
    await until("the oldest is given up", () => leader.store.compaction.revision > 0);
    assert.ok(leader.store.compaction.revision <= early);
    const { revision } = leader.store;
    await live([leader], 130);
    await until("the rest is", () => leader.store.compaction.revision === revision);
  });

  it("goes by what a leader has seen when it did not lead yet", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { autoCompaction });
    const { leader, follower } = await threeMembers({ members, ...running });
    await overwrite(leader, 10);
    await follower.replica.readBarrier();
    const { revision } = leader.store;
    await live([follower], 54);
    await moveLeader(follower);
    await overwrite(follower, 5);
    await live([follower], 12);
    await until("it is given up", () => members.every(({ store }) => store.compaction.revision > 0));
    assert.ok(follower.store.compaction.revision <= revision);
  });

  it("is not given up by who does not lead", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { autoCompaction });
    const { leader, follower, other } = await threeMembers({ members, ...running });
    await overwrite(leader, 10);
    await follower.replica.readBarrier();
    await live([follower, other], 300);
    await overwrite(follower, 1);
    assert.equal(leader.store.compaction.revision, -1);
  });
});

describe("history of more than so many revisions", () => {
  it("is given up every few minutes", async (test) => {
    const autoCompaction = { mode: "revision", revisions: 20 } as const;
    const { leader: aLeader } = await calmCluster(test, 1, { autoCompaction });
    const leader = await aLeader();
    await overwrite(leader, 10);
    pass(leader, 301);
    await overwrite(leader, 20);
    assert.equal(leader.store.compaction.revision, -1, "there were not as many");
    pass(leader, 301);
    const { revision } = leader.store;
    await until("they are given up", () => leader.store.compaction.revision === revision - 20);
  });
});

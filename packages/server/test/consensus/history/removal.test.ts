import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import { HistoryRemoval } from "../../../src/consensus/history/removal.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { DkvError } from "../../../src/platform/errors.ts";
import { read, type Running, until } from "../cluster.ts";
import { calmCluster, hasEntries, threeMembers } from "../leases/fixtures.ts";
import { changesLeft, compact, overwrite } from "./fixtures.ts";

/** The fixtures have written two keys. */
async function leavesNoMore({ replica, store }: Running): Promise<void> {
  await replica.historyRemoved(10_000);
  assert.equal(await changesLeft(store), 2);
}

describe("history that is given up", () => {
  it("is removed piece by piece, on all members", async (test) => {
    const { members, ...running } = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers({ members, ...running });
    await overwrite(leader, 220);
    const { revision } = leader.store;
    await follower.replica.propose(compact(revision));
    assert.equal(follower.store.compaction.isRemoved, false, "it takes more than the entry");
    await follower.replica.historyRemoved(10_000);
    assert.equal(await changesLeft(follower.store), 2, "one for each key");
    for (const member of members) await leavesNoMore(member);
    assert.equal(await read(leader, "key"), "219");
    await leader.replica.historyRemoved();
  });

  it("is removed to the end by a leader that comes in the middle", async (test) => {
    const { network, members, ...running } = await calmCluster(test, 3);
    const { leader, follower, other } = await threeMembers({ network, members, ...running });
    await overwrite(leader, 400);
    await leader.replica.propose(compact(leader.store.revision));
    await until("it has begun", () => leader.store.compaction.next.revision > 0);
    network.cut(leader.id);
    assert.ok(members.every(({ store }) => !store.compaction.isRemoved));
    await leavesNoMore(follower);
    await leavesNoMore(other);
    network.heal(leader.id);
    await leavesNoMore(leader);
  });

  it("is removed to the end after a restart", async (test) => {
    const { start, leader: aLeader } = await calmCluster(test, 1);
    const before = await aLeader();
    await overwrite(before, 400);
    await before.replica.propose(compact(before.store.revision));
    await until("it has begun", () => before.store.compaction.next.revision > 0);
    await before.stop();
    assert.equal(before.store.compaction.isRemoved, false);
    const after = await start("m1");
    await after.replica.historyRemoved(10_000);
    assert.equal(await changesLeft(after.store), 1);
  });

  it("is waited for as long as the caller wants", async (test) => {
    const { network, ...running } = await calmCluster(test, 3);
    const { leader } = await threeMembers({ network, ...running });
    await overwrite(leader, 100);
    await leader.replica.propose(compact(leader.store.revision));
    network.rule = (passage) => (hasEntries(passage) ? "hold" : "pass");
    await assert.rejects(
      leader.replica.historyRemoved(10),
      (error) => error instanceof DkvError && /takes longer than was waited for/.test(error.message),
    );
    network.rule = () => "pass";
    network.release();
    await leader.replica.historyRemoved();
    assert.ok(leader.store.compaction.isRemoved);
  });

  it("leaves others three times as long as a piece takes, and a second at most", async () => {
    const tookMs = [1, 20, 5000];
    const pausesMs: number[] = [];
    let nowMs = 0;
    const { promise: removed, resolve } = Promise.withResolvers<void>();
    const removal = new HistoryRemoval({
      store: {
        get compaction() {
          if (tookMs.length === 0) resolve();
          return { revision: 9, isRemoved: tookMs.length === 0, next: { revision: 1, sub: 0 } };
        },
      },
      clock: {
        ...systemClock,
        nowMs: () => nowMs,
        after: (ms, callback) => {
          pausesMs.push(ms);
          return systemClock.after(0, callback);
        },
      },
      ownLog: {
        propose: () => {
          nowMs += tookMs.shift() ?? 0;
          return Promise.resolve(true);
        },
      },
    });
    removal.began(term(1));
    await removed;
    assert.deepEqual(pausesMs, [15, 15, 60, 1000]);
  });
});

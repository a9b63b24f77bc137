/** Watches of members that are put together as they run. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex } from "@dkv/raft";
import { cluster, set, until } from "../cluster.ts";
import { prefix, textOf } from "./world.ts";

describe("a member", () => {
  it("tells those who watch it of what is written through another one, and that it stops", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const stream = follower.replica.watches.open();
    stream.create(1, prefix("first", 1));
    assert.deepEqual((await stream.next())?.map(textOf), ["1: 2 first=write"]);
    await leader.replica.propose(set("first", "again"));
    assert.deepEqual((await stream.next())?.map(textOf), ["1: 3 first=again"]);
    const next = stream.next();
    const stopped = follower.stop();
    await assert.rejects(next, { code: "stopping" });
    await stopped;
  });

  it("tells of what was written while it was away, once it has taken over another one's state", async (test) => {
    const compaction = { snapshotCount: 50, catchupEntries: 10, maxBytes: 1 << 26 };
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(away.id);
    const value = "v".repeat(20_000);
    const names = Array.from({ length: 200 }, (_, at) => `key${String(at)}`);
    for (const name of names) await leader.replica.propose(set(name, value));
    await until("the leader has dropped what it needs", () => leader.node.termAt(logIndex(1)) === undefined);
    network.heal(away.id);
    await until("it follows", () => away.replica.status().leader !== "");
    const stream = away.replica.watches.open();
    stream.create(1, prefix("key", 1));
    await until("a snapshot has arrived", () => network.snapshots === 1);
    const told: string[] = [];
    while (told.length < names.length)
      for (const message of (await stream.next()) ?? [])
        if (message.kind === "events") told.push(...message.events.map(({ change }) => change.key));
    assert.deepEqual(told, names);
    assert.deepEqual(away.failures, []);
  });

  it("that was cut off from the others tells those who watch it to go elsewhere, until it knows a leader", async (test) => {
    const { leaderAndFollower, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const [stayed, cut] = [leader, follower].map(({ replica }) => {
      const stream = replica.watches.open();
      stream.create(1, prefix("first", 1));
      return stream;
    });
    assert.ok(stayed !== undefined && cut !== undefined);
    for (const stream of [stayed, cut])
      assert.deepEqual((await stream.next())?.map(textOf), ["1: 2 first=write"]);
    network.cut(follower.id);
    await assert.rejects(cut.next(), { code: "noLeader", retry: "notApplied" });
    assert.throws(() => follower.replica.watches.open(), { code: "noLeader" });
    await leader.replica.propose(set("first", "again"));
    assert.deepEqual((await stayed.next())?.map(textOf), ["1: 3 first=again"]);
    network.heal(follower.id);
    await until("it follows", () => follower.replica.status().leader !== "");
    const again = follower.replica.watches.open();
    again.create(1, prefix("first", 3));
    assert.deepEqual((await again.next())?.map(textOf), ["1: 3 first=again"]);
  });

  it("that led and was cut off does so too", async (test) => {
    const { leaderAndFollower, network } = await cluster(test, 3);
    const { leader } = await leaderAndFollower();
    const stream = leader.replica.watches.open();
    stream.create(1, prefix("other"));
    network.cut(leader.id);
    await assert.rejects(stream.next(), { code: "noLeader" });
  });
});

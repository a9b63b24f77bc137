import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, noEntry } from "@dkv/raft";
import { cluster, read, type Running, set, until } from "./cluster.ts";

const compaction = { snapshotCount: 50, catchupEntries: 10, maxBytes: 1 << 26 };

/** Enough to fill several segments of the log, so that the first ones go. */
async function writeMuch(member: Running, count: number, prefix = "key"): Promise<void> {
  const value = "v".repeat(20_000);
  for (let from = 0; from < count; from += 20) {
    const writes = Array.from({ length: 20 }, (_, at) =>
      member.replica.propose(set(`${prefix}${String(from + at)}`, value)),
    );
    await Promise.all(writes);
  }
}

const isCompacted = ({ node }: Running, last: number): boolean => node.termAt(logIndex(last)) === undefined;

describe("a log that grows", () => {
  it("is dropped at its beginning once that is applied and nobody needs it", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    await writeMuch(leader, 200);
    await until("the first entries are gone", () => isCompacted(leader, 1) && isCompacted(follower, 1));
    assert.equal(await read(follower, "key0"), "v".repeat(20_000));
  });
});

describe("a follower that was away for long", () => {
  it("takes over the leader's state, and goes on with the log from there", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(away.id);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.heal(away.id);
    await until("a snapshot has arrived", () => network.snapshots === 1);
    await leader.replica.propose(set("after", "wards"));
    assert.equal(await read(away, "after"), "wards");
    assert.equal(await read(away, "key0"), "v".repeat(20_000));
    assert.deepEqual(away.failures, []);
  });

  it("tells those who wait for a write there that its outcome is not known", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    // Its write reaches the leader, and nothing reaches it.
    network.rule = ({ to }) => (to === away.id ? "lose" : "pass");
    const answer = away.replica.propose(set("mine", "1"), 60_000);
    const settled = answer.then(
      () => "applied",
      (error: unknown) => (error as { code: string }).code,
    );
    await until("it was applied elsewhere", () => leader.replica.get(Buffer.from("mine")) !== undefined);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.rule = () => "pass";
    assert.equal(await settled, "outcomeUnknown");
    assert.equal(await read(away, "mine"), "1");
  });

  it("is sent another snapshot when the first one failed", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(away.id);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.failingSnapshots = 1;
    network.heal(away.id);
    await until("a snapshot has arrived", () => network.snapshots === 1);
    assert.equal(await read(away, "key0"), "v".repeat(20_000));
  });

  it("is sent nothing more by a leader that leads no more", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(away.id);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.holdsSnapshots = true;
    network.heal(away.id);
    await until("a snapshot is on its way", () => network.heldSnapshots === 1);
    network.holdsSnapshots = false;
    await follower.replica.moveLeader(follower.replica.status().name);
    await until("it has been stopped", () => network.heldSnapshots === 0);
    assert.equal(await read(away, "key0"), "v".repeat(20_000));
  });

  it("finishes the save that runs before it takes over, and saves again afterwards", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    away.disk.state.hang();
    await leader.replica.propose(set("before", "1"));
    await until("it saves", () => away.disk.state.begun > 0);
    network.cut(away.id);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.heal(away.id);
    await until("a snapshot has arrived", () => network.snapshots === 1);
    away.disk.state.heal();
    await leader.replica.propose(set("after", "wards"));
    assert.equal(await read(away, "after"), "wards");
    const saves = away.disk.state.begun;
    await until("it saves again", () => away.disk.state.begun > saves);
    assert.deepEqual(away.failures, []);
  });
});

describe("a snapshot that is offered", () => {
  it("is taken only from who leads this cluster, and with something new in it", async (test) => {
    const { leaderAndFollower, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const { term, commit, configuration } = leader.node.status();
    const header = {
      snapshotId: 7n,
      clusterId: 1n,
      last: { index: logIndex(commit + 100), term },
      configuration: configuration.configuration,
      revision: 2,
    };
    const route = { from: leader.id, to: follower.id, term };
    assert.match(await network.offer(route, { ...header, clusterId: 2n }), /another cluster/);
    assert.match(await network.offer({ ...route, term: noEntry.term }, header), /leads no more/);
    assert.match(await network.offer(route, { ...header, last: { index: logIndex(1), term } }), /has all/);
    assert.equal(await network.offer(route, header), "received");
  });
});

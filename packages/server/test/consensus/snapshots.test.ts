import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { logIndex, noEntry } from "@dkv/raft";
import { DkvError } from "../../src/platform/errors.ts";
import type { Snapshot } from "../../src/transport/snapshot/snapshot.ts";
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
    network.cut(away.id);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.rule = () => "pass";
    network.heal(away.id);
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

  it("is sent nothing by a leader whose state is damaged: that one ends", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(away.id);
    await writeMuch(leader, 200);
    await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
    network.unreadable = new Error("a record is damaged");
    network.heal(away.id);
    await until("it has ended", () => leader.failures.length > 0);
    assert.deepEqual(leader.failures, [network.unreadable]);
    assert.equal(network.snapshots, 0);
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

/** A follower that saves, has applied more, and is about to take over the leader's state. */
async function takingOver(test: TestContext): Promise<{ away: Running; leader: Running }> {
  const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
  const { leader, follower } = await leaderAndFollower();
  const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
  away.disk.state.hang();
  await leader.replica.propose(set("saved", "1"));
  await until("it saves", () => away.disk.state.begun > 0);
  const { appliedIndex } = away.replica.status();
  await leader.replica.propose(set("applied", "1"));
  await until("it has applied more", () => away.replica.status().appliedIndex > appliedIndex);
  network.cut(away.id);
  await writeMuch(leader, 200);
  await until("the leader has dropped what it needs", () => isCompacted(leader, 1));
  network.heal(away.id);
  await until("a snapshot has arrived", () => network.snapshots === 1);
  await until("the core has handed it out", () => !away.node.hasReady());
  return { away, leader };
}

describe("a member that is about to take over a state", () => {
  it("gives no backup that lacks what it has applied", async (test) => {
    const { away, leader } = await takingOver(test);
    const backup = away.replica.takeSnapshot();
    away.disk.state.heal();
    await assert.rejects(
      backup,
      (error: unknown) => error instanceof DkvError && error.retry === "notApplied",
    );
    await leader.replica.propose(set("after", "wards"));
    assert.equal(await read(away, "after"), "wards");
    await (await away.replica.takeSnapshot()).close();
  });

  it("does not do so any more once it has been stopped", async (test) => {
    const { away } = await takingOver(test);
    await away.replica.stop();
    const writes = away.disk.log.begun;
    await away.stop();
    assert.equal(away.disk.log.begun, writes);
    assert.deepEqual(away.failures, []);
  });
});

describe("a snapshot that has arrived", () => {
  it("is deleted if the log had what it stands for meanwhile", async (test) => {
    const { leaderAndFollower, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    network.rule = ({ to }) => (to === follower.id ? "lose" : "pass");
    await leader.replica.propose(set("more", "1"));
    const snapshot = await leader.replica.takeSnapshot();
    const { last } = snapshot.header;
    const slow: Snapshot = {
      header: snapshot.header,
      async *chunks(skip) {
        const trailer = yield* snapshot.chunks(skip);
        assert.ok(readdirSync(follower.dataDir).includes("0000000002"));
        network.rule = () => "pass";
        await until("the log has come as far", () => follower.node.status().commit >= last.index);
        return trailer;
      },
    };
    const { term } = leader.node.status();
    await network.port(leader.id).sendSnapshot(follower.id, slow, term).done;
    await until("it is gone", () => !readdirSync(follower.dataDir).includes("0000000002"));
    await snapshot.close();
    assert.deepEqual(follower.failures, []);
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
    follower.reserve.measured(1);
    assert.match(await network.offer(route, header), /nearly full: make room/);
    follower.reserve.measured(10_000);
    assert.equal(await network.offer(route, header), "received");
  });
});

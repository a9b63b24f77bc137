import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import { logIndex } from "@dkv/raft";
import { encodeCommand } from "@dkv/store";
import type { CheckReport } from "../../../src/consensus/member.ts";
import type { ReplicaOptions } from "../../../src/consensus/replica.ts";
import { DkvError } from "../../../src/platform/errors.ts";
import { tamper } from "../../storage/tampering.ts";
import { cluster, read, remove, type Running, type RunningCluster, set, until } from "../cluster.ts";

const verdicts = ({ members }: CheckReport): Record<string, string> =>
  Object.fromEntries(members.map(({ name, verdict }) => [name, verdict]));

const isCorrupt = (error: unknown): boolean =>
  error instanceof DkvError && error.code === "corrupt" && error.retry === "notApplied";

const name = (member: Running): string => member.replica.status().name;

interface Diverged extends RunningCluster {
  /** It was stopped, changed and started again. */
  readonly wrong: Running;
  readonly others: readonly Running[];
}

/** Three members, one of which has another value under "key". */
async function diverged(test: TestContext, options: Partial<ReplicaOptions> = {}): Promise<Diverged> {
  const running = await cluster(test, 3, options);
  const { leader, follower } = await running.leaderAndFollower();
  for (let at = 0; at < 20; at += 1) await leader.replica.propose(set(`key-${String(at)}`, "value"));
  await leader.replica.propose(set("key", "right"));
  await read(follower, "key");
  // It has to be in the state, and not in the log alone.
  await (await follower.replica.takeSnapshot()).close();
  await follower.stop();
  await tamper(follower.dataDir, "key", "wrong");
  const others = running.members.filter((member) => member !== follower);
  const wrong = await running.start(name(follower));
  await until("it follows again", () => wrong.replica.status().leaderId !== undefined);
  return { ...running, wrong, others };
}

describe("a check of members that agree", () => {
  it("says so through each member, with the same hash from all, while others write", async (test) => {
    const { members, leader } = await cluster(test, 3);
    const first = await leader();
    let isOver = false;
    const writing = (async () => {
      for (let at = 0; !isOver; at += 1)
        await first.replica.propose(set(`key-${String(at % 50)}`, String(at)));
    })();
    for (const { replica } of members) {
      const report = await replica.check();
      assert.deepEqual(verdicts(report), { m1: "agrees", m2: "agrees", m3: "agrees" });
      assert.equal(report.hasMajority, true);
      assert.ok(report.members.every(({ hash }) => hash?.length === 32));
      assert.equal(new Set(report.members.map(({ revision }) => revision)).size, 1);
    }
    isOver = true;
    await writing;
    for (const member of members) assert.deepEqual(member.failures, []);
  });

  it("goes on without a member that is away, and says which", async (test) => {
    const { members, network, leader } = await cluster(test, 3);
    const first = await leader();
    const away = members.find((member) => member !== first) ?? assert.fail();
    network.cut(away.id);
    const report = await first.replica.check(1000);
    assert.deepEqual(verdicts(report)[name(away)], "noAnswer");
    assert.equal(report.hasMajority, true);
    assert.match(
      report.members.find(({ id }) => id === away.id)?.reason ?? "",
      /answer in time|no connection/,
    );
    network.heal(away.id);
    await until("it is known again", () => away.replica.status().leaderId !== undefined);
    assert.equal(verdicts(await first.replica.check())[name(away)], "agrees");
  });

  it("is made once at a time through a member", async (test) => {
    const { leader } = await cluster(test, 1);
    const { replica } = await leader();
    const both = await Promise.allSettled([replica.check(), replica.check()]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.equal(verdicts(await replica.check())["m1"], "agrees");
  });
});

describe("a check of members of which one has stored something else", () => {
  it("names it; it is out of service then, the others go on", async (test) => {
    const { wrong, others } = await diverged(test);
    const [first] = others;
    assert.ok(first !== undefined);
    assert.equal(await read(wrong, "key"), "wrong");
    const report = await first.replica.check();
    assert.equal(verdicts(report)[name(wrong)], "differs");
    assert.deepEqual(
      others.map((member) => verdicts(report)[name(member)]),
      ["agrees", "agrees"],
    );
    await until("it knows", () => wrong.replica.status().isCorrupt);
    const { replica } = wrong;
    await assert.rejects(replica.propose(set("key", "value")), isCorrupt);
    await assert.rejects(replica.propose(remove("key")), isCorrupt);
    await assert.rejects(replica.readBarrier(), isCorrupt);
    assert.throws(() => replica.get(Buffer.from("key")), isCorrupt);
    await assert.rejects(replica.takeSnapshot(), isCorrupt);
    for (const member of others) {
      assert.equal((await member.replica.propose(set("more", "value"))).kind, "set");
      assert.equal(await read(member, "key"), "right");
    }
    assert.equal(
      verdicts(await replica.check())[name(wrong)],
      "differs",
      "it can still be asked for a check",
    );
  });

  it("is remembered by a member that restarts", async (test) => {
    const { wrong, others, start } = await diverged(test);
    await others[0]?.replica.check();
    await until("it knows", () => wrong.replica.status().isCorrupt);
    await wrong.stop();
    const again = await start(name(wrong));
    assert.throws(() => again.replica.get(Buffer.from("key")), isCorrupt);
  });

  it("does not let it lead for long", async (test) => {
    const { wrong, others } = await diverged(test);
    await wrong.replica.moveLeader(name(wrong));
    assert.equal(wrong.replica.status().role, "leader");
    await others[0]?.replica.check();
    await until("another one leads", () => wrong.replica.status().role !== "leader");
    const [first, second] = others;
    assert.ok(first !== undefined && second !== undefined);
    await until(
      "they have one",
      () => first.replica.status().role === "leader" || second.replica.status().role === "leader",
    );
    assert.equal((await first.replica.propose(set("key", "later"))).kind, "set");
  });

  it("is found out by a leader that checks on its own", async (test) => {
    const { wrong } = await diverged(test, { checkIntervalMs: 100 });
    await until("it knows", () => wrong.replica.status().isCorrupt);
  });

  it("blames nobody when there is no majority", async (test) => {
    const { wrong, others, network, leader } = await diverged(test);
    const first = await leader();
    const away = others.find((member) => member !== first) ?? assert.fail();
    network.cut(away.id);
    const report = await first.replica.check(1000);
    assert.deepEqual(verdicts(report)[name(first)], "differs");
    assert.deepEqual(verdicts(report)[name(wrong)], "differs");
    assert.equal(report.hasMajority, false);
    network.heal(away.id);
    await first.replica.propose(set("after", "check"));
    await read(wrong, "after");
    assert.equal(wrong.replica.status().isCorrupt, false);
  });
});

/** An alarm about a member of some cluster, or its end, as it stands in the log. */
const about = (clusterId: bigint, memberId: bigint, lift = false): Uint8Array =>
  encodeCommand(
    { proposer: 5n, sequence: 1 },
    {
      case: "alarm",
      value: create(AlarmCommandSchema, { clusterId, memberId, kind: AlarmKind.CORRUPT, lift }),
    },
  );

describe("a leader whose state is wrong, and whom nobody can follow", () => {
  it("gives its state to nobody", async (test) => {
    const compaction = { snapshotCount: 50, catchupEntries: 10, maxBytes: 1 << 26 };
    const { leaderAndFollower, members, network } = await cluster(test, 3, { compaction });
    const { leader, follower } = await leaderAndFollower();
    const away = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(away.id);
    const value = "v".repeat(20_000);
    for (let at = 0; at < 200; at += 1) await leader.replica.propose(set(`key-${String(at)}`, value));
    await until("the log is compacted", () => leader.node.termAt(logIndex(1)) === undefined);
    const alarms = [about(1n, leader.id), about(1n, follower.id)];
    assert.equal(leader.node.propose(alarms).kind, "accepted");
    const hasLogged = (pattern: RegExp): boolean => leader.warnings.some((line) => pattern.test(line));
    await until("it has looked for a successor", () => hasLogged(/state differs/));
    assert.equal(hasLogged(/handing leadership over/), false, "the follower is no better");
    network.heal(away.id);
    await until("it was asked for its state", () => hasLogged(/could not be sent/));
    assert.equal(network.snapshots, 0);
    // While it waits for the other one to catch up, which it cannot, it takes nothing.
    const lift = [about(1n, leader.id, true)];
    await until("it takes the end of the alarm", () => leader.node.propose(lift).kind === "accepted");
    await until("it may give it again", () => network.snapshots === 1);
  });
});

describe("an alarm that means nobody any more", () => {
  it("is lifted by the leader: of who is no member, of another cluster, and of the last voter", async (test) => {
    const { leader } = await cluster(test, 1);
    const { replica, node, store } = await leader();
    await replica.propose(set("key", "value"));
    const raised = [about(1n, 77n), about(2n, 1n), about(1n, 1n)];
    assert.equal(node.propose(raised).kind, "accepted");
    await until("they are there", () => store.alarms.length > 0);
    await until("they are gone", () => store.alarms.length === 0);
    assert.equal(await read(await leader(), "key"), "value");
  });

  it("stays while it is about a member, and goes with the member", async (test) => {
    const { wrong, others, leader } = await diverged(test);
    await others[0]?.replica.check();
    await until("it knows", () => wrong.replica.status().isCorrupt);
    const { replica, store } = await leader();
    await replica.changeMembership({ kind: "leave", name: name(wrong) });
    await until("it is lifted", () => store.alarms.length === 0);
    assert.equal((await replica.propose(set("key", "later"))).kind, "set");
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MembershipChange } from "../../../src/consensus/member.ts";
import { MembershipTable } from "../../../src/consensus/membership/table.ts";
import { DkvError } from "../../../src/platform/errors.ts";
import { cluster, read, type Running, set, until } from "../cluster.ts";

const join: MembershipChange = { kind: "join", name: "new", peerAddress: "localhost:9" };
const leave = (name: string): MembershipChange => ({ kind: "leave", name });

const nameOf = (member: Running): string => member.replica.status().name;

async function rolesAt(member: Running): Promise<readonly string[]> {
  const views = await member.replica.members();
  return views.map(({ name, role }) => `${name} ${role}`);
}

const refusedAs = (code: string) => (error: unknown) => error instanceof DkvError && error.code === code;

/** Names of those whose data directory a member can tell from any other. */
function notedAt({ node }: Running): readonly string[] {
  const { members } = new MembershipTable(node.status().configuration.configuration);
  return members.filter(({ incarnation }) => incarnation !== 0n).map(({ name }) => name);
}

describe("the members of a running cluster", () => {
  it("know each other's data directories, and nobody's who was never heard", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3);
    const [, , late] = members as [Running, Running, Running];
    network.cut(late.id);
    const { leader, follower } = await leaderAndFollower();
    await until("two are known", () => notedAt(follower).length === 2);
    await leader.replica.propose(set("key", "value"));
    assert.ok(!notedAt(leader).includes("m3"));
    network.heal(late.id);
    await until("all are known", () => members.every((member) => notedAt(member).length === 3));
  });

  it("give what they commit a number once, which all that happens later keeps", async (test) => {
    const { leaderAndFollower, members, start } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const historyAt = ({ node }: Running): bigint =>
      new MembershipTable(node.status().configuration.configuration).history;
    await until("there is one", () => members.every((member) => historyAt(member) !== 0n));
    const history = historyAt(leader);
    await follower.replica.changeMembership(join);
    const added = await start("new");
    await until("it is a voter", () => added.node.status().configuration.configuration.voters.length === 4);
    await until("all know it", () => members.every((member) => notedAt(member).includes("new")));
    assert.deepEqual(
      members.map(historyAt),
      Array.from({ length: 4 }, () => history),
    );
  });

  it("grow by one that is added through a follower, and promoted on its own", async (test) => {
    const { leaderAndFollower, start } = await cluster(test, 3);
    const { follower } = await leaderAndFollower();
    await follower.replica.changeMembership(join);
    const added = await start("new");
    await until("it is a voter", () => added.node.status().configuration.configuration.voters.length === 4);
    await follower.replica.propose(set("key", "value"));
    assert.equal(await read(added, "key"), "value");
    assert.deepEqual(await rolesAt(added), ["m1 voter", "m2 voter", "m3 voter", "new voter"]);
  });

  it("leave it to somebody to promote one that was added as a learner, whatever becomes of others", async (test) => {
    const { leaderAndFollower, start } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const address = "localhost:9";
    await follower.replica.changeMembership({
      kind: "join",
      name: address,
      peerAddress: address,
      staysLearner: true,
    });
    const added = await start(address);
    await until("it is heard of", () => notedAt(leader).includes(address));
    await follower.replica.changeMembership({ kind: "join", name: "late", peerAddress: "localhost:10" });
    const late = await start("late");
    await until(
      "the other is a voter",
      () => late.node.status().configuration.configuration.voters.length === 4,
    );
    assert.deepEqual((await rolesAt(added)).at(-2), `${address} learner`);
    const isThere = (): boolean => leader.node.status().followers.get(added.id)?.state === "replicate";
    await until("it has caught up", isThere);
    await follower.replica.changeMembership({ kind: "promote", name: address });
    assert.deepEqual((await rolesAt(leader)).at(-2), `${address} voter`);
  });

  it("keep a learner a learner while nobody promotes it, and then promote it on demand", async (test) => {
    const autopilot = { autoPromote: false, cleanupAfterMs: undefined };
    const { leaderAndFollower, start } = await cluster(test, 3, { autopilot });
    const { leader, follower } = await leaderAndFollower();
    await leader.replica.changeMembership(join);
    await assert.rejects(
      follower.replica.changeMembership({ kind: "promote", name: "new" }),
      refusedAs("notCaughtUp"),
    );
    const added = await start("new");
    const { id } = added;
    const isBehind = (): boolean => leader.node.status().followers.get(id)?.state !== "replicate";
    await until("it has caught up", () => !isBehind());
    assert.deepEqual((await rolesAt(leader)).at(-1), "new learner");
    await follower.replica.changeMembership({ kind: "promote", name: "new" });
    assert.deepEqual((await rolesAt(leader)).at(-1), "new voter");
  });

  it("promote no learner that is heard and gets nothing, nor one that has gone silent", async (test) => {
    const autopilot = { autoPromote: false, cleanupAfterMs: undefined };
    const { leaderAndFollower, start, network } = await cluster(test, 3, { autopilot });
    const { leader, follower } = await leaderAndFollower();
    await leader.replica.changeMembership(join);
    const promote = (): Promise<void> => follower.replica.changeMembership({ kind: "promote", name: "new" });
    network.rule = ({ to, frame }) =>
      to > 3n && frame.messages.some(({ kind }) => kind === "appendEntries") ? "lose" : "pass";
    const { id } = await start("new");
    const seen = () => leader.node.status().followers.get(id);
    await until("it is heard", () => seen()?.recentlyActive === true);
    await assert.rejects(promote(), refusedAs("notCaughtUp"));
    network.rule = () => "pass";
    await until("it has caught up", () => seen()?.state === "replicate");
    network.cut(id);
    await until("its silence is noticed", () => seen()?.recentlyActive === false);
    await assert.rejects(promote(), refusedAs("notCaughtUp"));
  });

  it("are changed through a follower as soon as the leader can, which it cannot at first", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const third = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    // Until it gives up handing over, an election timeout later.
    network.rule = ({ frame }) =>
      frame.messages.some(({ kind }) => kind === "timeoutNow") ? "lose" : "pass";
    assert.equal(leader.node.transferLeadership(third.id).kind, "accepted");
    await follower.replica.changeMembership(join);
    assert.equal((await rolesAt(leader)).at(-1), "new learner");
  });

  it("do not say that nothing was done when only the leader's answer is lost", async (test) => {
    const { leaderAndFollower, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    network.rule = ({ frame }) => (frame.responses.length > 0 ? "lose" : "pass");
    await assert.rejects(follower.replica.changeMembership(join, 300), refusedAs("outcomeUnknown"));
    assert.equal((await rolesAt(leader)).at(-1), "new learner");
  });

  it("shrink by one, which learns of it and is talked to no more", async (test) => {
    const { leaderAndFollower, members } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const leaving = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    await follower.replica.changeMembership(leave(nameOf(leaving)));
    assert.equal((await rolesAt(leader)).length, 2);
    await until("nobody knows it any more", () => !leader.node.status().followers.has(leaving.id));
    await leader.replica.propose(set("key", "value"));
    assert.equal(await read(follower, "key"), "value");
  });

  it("shrink by the leader itself, which commits that and hands over", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    await follower.replica.changeMembership(leave(nameOf(leader)));
    await until("it knows", () => leader.wasRemoved());
    await follower.replica.propose(set("key", "value"));
    assert.equal((await rolesAt(follower)).length, 2);
  });

  it("refuse to lose the quorum of those that answer", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const silent = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(silent.id);
    await until("its silence is noticed", () => {
      const status = leader.node.status().followers.get(silent.id);
      return status?.recentlyActive === false;
    });
    await assert.rejects(
      leader.replica.changeMembership(leave(nameOf(follower))),
      (error: unknown) =>
        error instanceof DkvError && /does not: start them or remove them/.test(error.message),
    );
    await leader.replica.changeMembership(leave(nameOf(silent)));
  });

  it("replace one whose data is gone by a new one of the same name, in one step", async (test) => {
    const { leaderAndFollower, members, start } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const lost = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    const name = nameOf(lost);
    await lost.stop();
    const address = `localhost:${String(lost.id)}`;
    await follower.replica.changeMembership({ kind: "replace", old: name, name, peerAddress: address });
    const rows = await leader.replica.members();
    assert.deepEqual(
      rows.map(({ replaces }) => replaces),
      [undefined, undefined, undefined, lost.id],
    );
    const added = await start(name);
    const done = (): boolean => {
      const { voters, outgoing } = leader.node.status().configuration.configuration;
      return outgoing.length === 0 && voters.includes(added.id) && !voters.includes(lost.id);
    };
    await until("it has taken the place", done);
    await follower.replica.propose(set("key", "value"));
    assert.equal(await read(added, "key"), "value");
  });

  it("take a change twice without harm, through different members", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    await Promise.all([leader.replica.changeMembership(join), follower.replica.changeMembership(join)]);
    assert.equal((await rolesAt(leader)).filter((one) => one.startsWith("new")).length, 1);
  });

  it("cannot change without a quorum, and say so", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3);
    const { leader } = await leaderAndFollower();
    for (const member of members) if (member !== leader) network.cut(member.id);
    await assert.rejects(leader.replica.changeMembership(join, 300), (error: unknown) => {
      return error instanceof DkvError && error.retry !== "never";
    });
  });

  it("finish a change of a leader that is gone", async (test) => {
    const { leaderAndFollower, members, network, leader: newLeader } = await cluster(test, 5);
    const { leader } = await leaderAndFollower();
    const others = members.filter((one) => one !== leader);
    const [a, b] = others;
    assert.ok(a !== undefined && b !== undefined);
    // Two at once are a joint configuration, which has to be left by whoever leads next.
    const { context } = leader.node.status().configuration.configuration;
    const isJoint = (member: Running): boolean =>
      member.node.status().configuration.configuration.outgoing.length > 0;
    network.rule = ({ from }) => (from === leader.id ? "pass" : "hold");
    const result = leader.node.reconfigure(
      [
        { kind: "remove", id: a.id },
        { kind: "remove", id: b.id },
      ],
      context,
    );
    assert.equal(result.kind, "accepted");
    await until("all have the joint one", () => others.every(isJoint));
    network.cut(leader.id);
    network.rule = () => "pass";
    network.held.length = 0;
    await until("it is left", () =>
      others.some((one) => one.node.status().role === "leader" && !isJoint(one)),
    );
    assert.equal((await newLeader()).node.status().configuration.configuration.voters.length, 3);
  });
});

describe("the leadership", () => {
  it("moves to the voter that is asked for, through any member", async (test) => {
    const { leaderAndFollower, members } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const target = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    await follower.replica.moveLeader(nameOf(target));
    await until("it leads", () => target.node.status().role === "leader");
    await leader.replica.moveLeader(nameOf(target));
  });

  it("does not move to a voter that does not answer, and says so", async (test) => {
    const { leaderAndFollower, members, network } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const silent = members.find((one) => one !== leader && one !== follower) ?? assert.fail();
    network.cut(silent.id);
    for (const asked of [leader, follower]) {
      await assert.rejects(asked.replica.moveLeader(nameOf(silent)), (error: unknown) => {
        assert.ok(error instanceof DkvError);
        assert.deepEqual([error.code, error.retry], ["notAnswering", "notApplied"]);
        assert.match(error.message, new RegExp(`^${nameOf(silent)} does not answer: start it`));
        return true;
      });
    }
    assert.equal(leader.node.status().role, "leader");
  });

  it("does not move to a learner, nor to a stranger", async (test) => {
    const autopilot = { autoPromote: false, cleanupAfterMs: undefined };
    const { leaderAndFollower } = await cluster(test, 3, { autopilot });
    const { leader, follower } = await leaderAndFollower();
    await leader.replica.changeMembership(join);
    await assert.rejects(follower.replica.moveLeader("new"), refusedAs("notVoter"));
    await assert.rejects(follower.replica.moveLeader("nobody"), refusedAs("unknownMember"));
  });
});

describe("members that have been silent for too long", () => {
  it("are removed down to three voters and no further", async (test) => {
    const autopilot = { autoPromote: true, cleanupAfterMs: 200 };
    const { leaderAndFollower, members, network } = await cluster(test, 5, { autopilot });
    const { leader } = await leaderAndFollower();
    const [a, b] = members.filter((one) => one !== leader);
    assert.ok(a !== undefined && b !== undefined);
    network.cut(a.id);
    network.cut(b.id);
    const voters = (): number => leader.node.status().configuration.configuration.voters.length;
    await until("both are removed", () => voters() === 3);
    const c = members.find((one) => one !== leader && one !== a && one !== b) ?? assert.fail();
    network.cut(c.id);
    for (let silentMs = 0; silentMs < 1000; ) {
      const views = await leader.replica.members();
      silentMs = views.find(({ id }) => id === c.id)?.lastContactMs ?? assert.fail("it is a member");
    }
    assert.equal(voters(), 3);
  });
});

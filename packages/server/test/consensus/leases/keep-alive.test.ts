import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "../../../src/platform/errors.ts";
import { read, set, until } from "../cluster.ts";
import {
  calmCluster,
  grant,
  has,
  hasEntries,
  leads,
  moveLeader,
  pass,
  setWith,
  threeMembers,
} from "./fixtures.ts";

describe("a lease that is kept alive", () => {
  it("has all of its time again, through each member", async (test) => {
    const { leader, follower } = await threeMembers(await calmCluster(test, 3));
    await leader.replica.propose(setWith("key", 7n, 10));
    for (const through of [leader, follower, leader, follower]) {
      pass(leader, 8);
      assert.equal((await through.replica.leases.timeOf(7n))?.remainingTtl, 2n);
      const time = await through.replica.leases.keepAlive(7n);
      assert.deepEqual(time, { grantedTtl: 10n, remainingTtl: 10n });
    }
    pass(leader, 9);
    assert.equal(await read(follower, "key"), "value");
    pass(leader, 2);
    await until("the key is gone", () => !has(follower, "key"));
    for (const through of [leader, follower]) {
      assert.equal(await through.replica.leases.keepAlive(7n), undefined);
      assert.equal(await through.replica.leases.timeOf(7n), undefined);
    }
  });

  it("through a follower, along with others, costs a few questions", async (test) => {
    const { network, ...running } = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers({ network, ...running });
    const ids = Array.from({ length: 1500 }, (_, at) => BigInt(at + 1));
    await Promise.all(ids.map((id) => leader.replica.propose(grant(id, 10))));
    let questions = 0;
    network.rule = ({ from, frame }) => {
      if (from === follower.id) questions += frame.requests.length;
      return "pass";
    };
    const times = await Promise.all(ids.map((id) => follower.replica.leases.keepAlive(id)));
    assert.ok(times.every((time) => time?.grantedTtl === 10n));
    assert.ok(questions <= 10, `${String(questions)} questions`);
  });

  it("is so by whoever leads in the end", async (test) => {
    const { network, members, ...running } = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers({ network, members, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    network.cut(leader.id);
    const time = await follower.replica.leases.keepAlive(7n);
    assert.equal(time?.remainingTtl, 10n);
    assert.ok(members.some((one) => one !== leader && leads(one)));
  });

  it("is so although the question reached a leader that was none any more", async (test) => {
    const { network, ...running } = await calmCluster(test, 3, { electionTimeoutMs: 1000 });
    const { leader, follower, other } = await threeMembers({ network, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    network.rule = ({ from, frame }) => (from === follower.id && frame.requests.length > 0 ? "hold" : "pass");
    const told = follower.replica.leases.keepAlive(7n);
    await until("it has asked", () => network.held.length > 0);
    await moveLeader(other);
    network.rule = () => "pass";
    network.release();
    assert.equal((await told)?.remainingTtl, 10n);
  });

  it("is not, as long as no quorum says that its leader still leads", async (test) => {
    const { network, members, ...running } = await calmCluster(test, 3);
    const { leader, other } = await threeMembers({ network, members, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    network.cut(leader.id);
    const isRefused = assert.rejects(
      leader.replica.leases.keepAlive(7n, 1000),
      (error) => error instanceof DkvError && error.retry === "notApplied",
    );
    await until("another one leads", () => members.some((one) => one !== leader && leads(one)));
    await isRefused;
    assert.equal(await read(other, "key"), "value");
  });
});

describe("a lease that has ended", () => {
  it("is not kept alive by a former leader that has just learned of the next one", async (test) => {
    const { network, ...running } = await calmCluster(test, 3, { electionTimeoutMs: 1000 });
    const { leader, follower } = await threeMembers({ network, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    // Leadership goes only to a member that is known to have all of the log.
    await until("the next leader is known to have it", () => {
      const { followers, lastIndex } = leader.node.status();
      return followers.get(follower.id)?.match === lastIndex;
    });
    network.rule = ({ to }) => (to === leader.id ? "hold" : "pass");
    const told = leader.replica.leases.keepAlive(7n);
    await until("the leader asks a quorum", () => network.held.length > 0);
    assert.equal(leader.node.transferLeadership(follower.id).kind, "accepted");
    await until("it has ended", () => {
      pass(follower, 11);
      return leads(follower) && !has(follower, "key");
    });
    network.rule = () => "pass";
    network.release();
    assert.equal(await told, undefined);
  });
});

describe("a lease that is about to end", () => {
  it("is not kept alive any more", async (test) => {
    const { network, ...running } = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers({ network, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    const { lastIndex } = leader.node.status();
    network.rule = (passage) => (hasEntries(passage) ? "hold" : "pass");
    pass(leader, 11);
    await until("its end is in the log", () => leader.node.status().lastIndex > lastIndex);
    assert.equal(await leader.replica.leases.keepAlive(7n), undefined);
    assert.equal(await follower.replica.leases.keepAlive(7n), undefined);
    assert.ok(has(leader, "key"));
    network.rule = () => "pass";
    network.release();
    await until("it has ended", () => !has(leader, "key"));
  });

  it("is not kept alive by a later leader that has the end in its log", async (test) => {
    const { network, members, ...running } = await calmCluster(test, 3);
    const { leader, follower, other } = await threeMembers({ network, members, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    const { lastIndex } = leader.node.status();
    // The end reaches both followers, and nobody learns that it did.
    network.rule = ({ to, frame }) =>
      to === leader.id && frame.messages.some(({ kind }) => kind === "appendAccepted") ? "lose" : "pass";
    pass(leader, 11);
    const haveIt = (): boolean => [follower, other].every(({ node }) => node.status().lastIndex > lastIndex);
    await until("the end is in all logs", haveIt);
    network.cut(leader.id);
    network.rule = ({ frame }) =>
      frame.messages.some(({ kind }) => kind === "appendAccepted") ? "lose" : "pass";
    await until("another one leads", () => [follower, other].some(leads));
    const next = leads(follower) ? follower : other;
    assert.ok(has(next, "key"), "it has not applied the end");
    const told = next.replica.leases.keepAlive(7n);
    network.rule = () => "pass";
    assert.equal(await told, undefined, "whoever leads in the end");
    await until("it has ended", () => !has(next, "key"));
  });

  it("goes on if the log does not take its end", async (test) => {
    const { network, ...running } = await calmCluster(test, 3, { electionTimeoutMs: 200 });
    const { leader, follower } = await threeMembers({ network, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    network.rule = ({ frame }) =>
      frame.messages.some(({ kind }) => kind === "timeoutNow") ? "lose" : "pass";
    // Leadership is being handed over, so that the log takes nothing, and then it is not.
    assert.equal(leader.node.transferLeadership(follower.id).kind, "accepted");
    pass(leader, 11);
    assert.ok(has(leader, "key"));
    await until("it ends after all", () => !has(leader, "key"));
  });
});

describe("a member's leases", () => {
  it("and their keys are listed in their order, as far as it knows", async (test) => {
    const { leader, follower } = await threeMembers(await calmCluster(test, 3));
    for (const [key, lease] of [
      ["b", 7n],
      ["a", 7n],
      ["c", 8n],
    ] as const) {
      if (leader.store.lease(lease) === undefined) await leader.replica.propose(grant(lease, 10));
      await leader.replica.propose(setWith(key, lease));
    }
    await follower.replica.readBarrier();
    const { leases } = follower.replica;
    assert.deepEqual(new Set(await leases.list()), new Set([7n, 8n]));
    const keysOf = async (id: bigint) => (await leases.keysOf(id)).map((key) => Buffer.from(key).toString());
    assert.deepEqual(await keysOf(7n), ["a", "b"]);
    await leader.replica.propose(setWith("a", 8n));
    await follower.replica.readBarrier();
    assert.deepEqual(await keysOf(7n), ["b"]);
    assert.deepEqual(await keysOf(8n), ["a", "c"]);
    assert.deepEqual(await keysOf(9n), []);
  });

  it("get ids that are positive, and no less time than it takes to find a leader", async (test) => {
    const { leader: aLeader } = await calmCluster(test, 1, { electionTimeoutMs: 100 });
    const { leases } = (await aLeader()).replica;
    const ids = Array.from({ length: 100 }, () => leases.newId());
    assert.ok(ids.every((id) => id > 0n && id < 2n ** 63n));
    assert.equal(new Set(ids).size, 100);
    assert.equal(leases.leastTtl, 1n);
  });

  it("are asked about no more once it stops", async (test) => {
    const { network, ...running } = await calmCluster(test, 3);
    const { leader, follower, other } = await threeMembers({ network, ...running });
    await leader.replica.propose(grant(7n, 10));
    network.cut(follower.id);
    const asked = follower.replica.leases.keepAlive(7n);
    const stopped = follower.replica.stop();
    const isStopping = (error: unknown): boolean => error instanceof DkvError && error.code === "stopping";
    await assert.rejects(asked, isStopping);
    await assert.rejects(follower.replica.leases.timeOf(7n), isStopping);
    await stopped;
    await moveLeader(other);
    await other.replica.propose(set("key", "value"));
  });
});

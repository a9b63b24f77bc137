import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { AlarmCommandSchema, AlarmKind, ExpireLeasesCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { nodeId } from "@dkv/raft";
import { encodeCommand, type LoggedOperation } from "@dkv/store";
import { read, type Running, set, until } from "../cluster.ts";
import type { Loopback } from "../loopback.ts";
import {
  calmCluster,
  grant,
  has,
  hasEntries,
  leads,
  moveLeader,
  oneMember,
  pass,
  revoke,
  setWith,
  threeMembers,
} from "./fixtures.ts";

const isRefused = (code: string) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code;

/** As another member would, without waiting for it. */
function handTo(leader: Running, network: Loopback, operation: LoggedOperation): void {
  const command = encodeCommand({ proposer: 99n, sequence: 1 }, operation);
  const rest = { messages: [], refusals: [], requests: [], responses: [] };
  const frame = { ...rest, forwarded: [command], forwardedTerm: leader.node.status().term };
  network.deliver({ from: nodeId(99n), to: leader.id, frame });
}

describe("a lease that nobody keeps alive", () => {
  it("ends when its time is up, once, with all its keys and on all members", async (test) => {
    const running = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers(running);
    await leader.replica.propose(grant(7n, 10));
    await leader.replica.propose(setWith("b", 7n));
    await follower.replica.propose(setWith("a", 7n));
    await leader.replica.propose(set("kept", "value"));
    pass(leader, 9);
    assert.equal(await read(leader, "a"), "value");
    const { revision } = leader.store;
    pass(leader, 2);
    await until("the keys are gone", () => running.members.every((one) => !has(one, "a") && !has(one, "b")));
    pass(leader, 100);
    await leader.replica.propose(set("last", "value"));
    assert.equal(leader.store.revision, revision + 2, "one revision for the lease, one for the last write");
    assert.equal(await read(follower, "kept"), "value");
    assert.deepEqual(
      running.members.map(({ store }) => store.lease(7n)),
      [undefined, undefined, undefined],
    );
  });

  it("granted by a write ends as well", async (test) => {
    const { leader: aLeader } = await calmCluster(test, 1);
    const leader = await aLeader();
    await leader.replica.propose(setWith("key", 8n, 5));
    pass(leader, 4);
    assert.equal(await read(leader, "key"), "value");
    pass(leader, 2);
    await until("the key is gone", () => !has(leader, "key"));
  });

  it("does not end by the clock of a member that does not lead", async (test) => {
    const { leader, follower, other } = await threeMembers(await calmCluster(test, 3));
    await leader.replica.propose(setWith("key", 7n, 10));
    pass(follower, 1000);
    pass(other, 1000);
    await follower.replica.propose(set("other", "write"));
    assert.equal(await read(leader, "key"), "value");
  });

  it("is revoked with an error if it ends before that", async (test) => {
    const { network, ...running } = await calmCluster(test, 3);
    const { leader } = await threeMembers({ network, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    const { lastIndex } = leader.node.status();
    network.rule = (passage) => (hasEntries(passage) ? "hold" : "pass");
    pass(leader, 11);
    await until("its end is in the log", () => leader.node.status().lastIndex > lastIndex);
    const revoked = leader.replica.propose(revoke(7n));
    await until("so is the revocation", () => leader.node.status().lastIndex > lastIndex + 1);
    network.rule = () => "pass";
    network.release();
    await assert.rejects(revoked, isRefused("leaseNotFound"));
    assert.equal(has(leader, "key"), false);
  });

  it("that was revoked when its end was in the log is not missed", async (test) => {
    const leader = await oneMember(test, { requestTimeoutMs: 60_000 });
    await leader.replica.propose(setWith("key", 7n, 10));
    leader.disk.log.hang();
    const revoked = leader.replica.propose(revoke(7n));
    const { lastIndex } = leader.node.status();
    await until("the revocation is in the log", () => leader.node.status().lastIndex > lastIndex);
    pass(leader, 11);
    await until("its end is, too", () => leader.node.status().lastIndex > lastIndex + 1);
    leader.disk.heal();
    assert.equal((await revoked).kind, "lease");
    assert.equal((await leader.replica.propose(grant(7n, 10))).kind, "lease");
    assert.equal((await leader.replica.leases.keepAlive(7n))?.grantedTtl, 10n);
  });

  it("does not take another one with it that gets its id before its end is applied", async (test) => {
    const leader = await oneMember(test, { requestTimeoutMs: 60_000 });
    await leader.replica.propose(setWith("key", 7n, 10));
    const { lastIndex } = leader.node.status();
    leader.disk.log.hang();
    const written = [revoke(7n), setWith("other", 7n, 60)].map((each) => leader.replica.propose(each));
    await until("both are in the log", () => leader.node.status().lastIndex === lastIndex + 2);
    pass(leader, 11);
    await until("so is the end of the former one", () => leader.node.status().lastIndex === lastIndex + 3);
    leader.disk.heal();
    await Promise.all(written);
    await leader.replica.propose(set("last", "value"));
    assert.deepEqual([has(leader, "key"), has(leader, "other")], [false, true]);
    assert.equal((await leader.replica.leases.keepAlive(7n))?.remainingTtl, 60n);
    pass(leader, 59);
    assert.equal(await read(leader, "other"), "value");
    pass(leader, 2);
    await until("the other one ends when its own time is up", () => !has(leader, "other"));
  });

  it("is one of few that end at a time", async (test) => {
    const { leader: aLeader } = await calmCluster(test, 1);
    const leader = await aLeader();
    const ids = Array.from({ length: 350 }, (_, at) => BigInt(at + 1));
    await Promise.all(ids.map((id) => leader.replica.propose(grant(id, 10))));
    const left = (): number => ids.filter((id) => leader.store.lease(id) !== undefined).length;
    let before = ids.length;
    let most = 0;
    await until("all are gone", () => {
      const now = left();
      most = Math.max(most, before - now);
      before = now;
      // A tenth of a second passes at most: the next look, and no more than one is under way.
      if (now === ids.length) pass(leader, 11);
      else leader.clock.push(100);
      return now === 0;
    });
    assert.ok(most <= 100, `${String(most)} leases ended at once`);
  });
});

describe("a leader that comes later", () => {
  it("gives all leases their time again", async (test) => {
    const { members, ...running } = await calmCluster(test, 3);
    const { leader, follower, other } = await threeMembers({ members, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    pass(leader, 8);
    await moveLeader(follower);
    pass(follower, 8);
    assert.equal(await read(other, "key"), "value");
    await until("the key is gone", () => {
      // Whoever leads by then.
      for (const member of members) pass(member, 3);
      return !has(leader, "key");
    });
  });

  it("gives a lease what was left of it when that was noted last", async (test) => {
    const { members, ...running } = await calmCluster(test, 3);
    const { leader, follower, other } = await threeMembers({ members, ...running });
    await leader.replica.propose(setWith("key", 7n, 3600));
    pass(leader, 299);
    await leader.replica.propose(set("other", "write"));
    assert.equal(leader.store.lease(7n)?.remainingTtl, 0n);
    pass(leader, 1501);
    await until("it is noted", () => members.every(({ store }) => store.lease(7n)?.remainingTtl !== 0n));
    await moveLeader(follower);
    const time = await other.replica.leases.timeOf(7n);
    assert.equal(time?.grantedTtl, 3600n);
    assert.ok(time.remainingTtl <= 1800n && time.remainingTtl > 1700n, String(time.remainingTtl));
  });

  it("finds no note that has less than who kept the lease alive was told", async (test) => {
    const { members, network, ...running } = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers({ members, network, ...running });
    await leader.replica.propose(setWith("key", 7n, 3600));
    const { lastIndex } = leader.node.status();
    network.rule = (passage) => (hasEntries(passage) ? "hold" : "pass");
    pass(leader, 1801);
    await until("a note is in the log", () => leader.node.status().lastIndex > lastIndex);
    let isTold = false;
    const told = follower.replica.leases.keepAlive(7n).then((time) => {
      isTold = true;
      return time;
    });
    await until("so is that it is void", () => leader.node.status().lastIndex > lastIndex + 1);
    // Rounds of a quorum, and frames from the leader, go on.
    await leader.replica.readBarrier();
    await follower.replica.readBarrier();
    assert.equal(isTold, false, "a later leader may find the note alone");
    network.rule = () => "pass";
    network.release();
    assert.ok(((await told)?.remainingTtl ?? 0n) > 3590n);
    assert.equal(leader.store.lease(7n)?.remainingTtl, 0n);
    await moveLeader(follower);
    assert.ok(((await leader.replica.leases.timeOf(7n))?.remainingTtl ?? 0n) > 3590n);
  });

  it("finds no note of an earlier lease at another one that got its id", async (test) => {
    const leader = await oneMember(test, { requestTimeoutMs: 10_000_000 });
    await leader.replica.propose(grant(7n, 3600));
    const { lastIndex } = leader.node.status();
    leader.disk.log.hang();
    const written = [revoke(7n), grant(7n, 3600)].map((each) => leader.replica.propose(each));
    await until("both are in the log", () => leader.node.status().lastIndex === lastIndex + 2);
    pass(leader, 1801);
    await until("so is a note of the former one", () => leader.node.status().lastIndex === lastIndex + 3);
    leader.disk.heal();
    await Promise.all(written);
    await leader.replica.propose(set("last", "value"));
    assert.equal(leader.store.lease(7n)?.remainingTtl, 0n);
  });

  it("ends none before it knows all", async (test) => {
    const { leader, follower, other } = await threeMembers(await calmCluster(test, 3));
    await leader.replica.propose(setWith("key", 7n, 10));
    await follower.replica.readBarrier();
    follower.disk.scans.hang();
    await moveLeader(follower);
    await other.replica.propose(setWith("new", 8n, 10));
    pass(follower, 60);
    let isTold = false;
    const told = other.replica.leases.timeOf(8n).finally(() => {
      isTold = true;
    });
    await other.replica.propose(set("other", "write"));
    assert.equal(isTold, false);
    assert.ok(has(follower, "key") && has(follower, "new"));
    follower.disk.heal();
    assert.equal(await told, undefined, "its time was up before all were known");
    await until("what was known is gone", () => !has(other, "new"));
    assert.equal((await other.replica.leases.timeOf(7n))?.remainingTtl, 10n);
  });
});

describe("a leader whose state is wrong", () => {
  it("ends no lease", async (test) => {
    const { network, members, ...running } = await calmCluster(test, 3);
    const { leader } = await threeMembers({ network, members, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    const alarm = (memberId: bigint, lift: boolean): LoggedOperation => {
      const value = create(AlarmCommandSchema, { clusterId: 1n, memberId, kind: AlarmKind.CORRUPT, lift });
      return { case: "alarm", value };
    };
    // None of the others is any better, so that it goes on leading.
    for (const { id } of members) handTo(leader, network, alarm(id, false));
    await until("it knows", () => leader.store.alarms.length === 3);
    pass(leader, 11);
    handTo(leader, network, alarm(leader.id, true));
    await until("it is as right as any", () => !leader.replica.status().isCorrupt);
    assert.ok(has(leader, "key"), "nothing came before that in the log");
    await until("the lease ends", () => !has(leader, "key"));
  });
});

describe("a leader that was deposed without knowing it", () => {
  it("ends no lease", async (test) => {
    const { network, members, ...running } = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers({ network, members, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    network.cut(leader.id);
    const { lastIndex } = leader.node.status();
    pass(leader, 11);
    await until("the end is in its log", () => leader.node.status().lastIndex > lastIndex);
    await until("another one leads", () => members.some((one) => one !== leader && leads(one)));
    network.heal(leader.id);
    await follower.replica.propose(set("other", "write"));
    await until("it has the others' log", () => has(leader, "other"));
    assert.deepEqual(
      members.map((one) => has(one, "key")),
      [true, true, true],
    );
  });

  it("ends no lease through the log of another one either", async (test) => {
    const { network, ...running } = await calmCluster(test, 3);
    const { leader, follower, other } = await threeMembers({ network, ...running });
    await leader.replica.propose(setWith("key", 7n, 10));
    const stale = leader.node.status().term;
    await moveLeader(follower);
    const expiry = (term: number) => ({
      case: "expireLeases" as const,
      value: create(ExpireLeasesCommandSchema, { ids: [7n], term: BigInt(term), applied: 1000n }),
    });
    const { term } = follower.node.status();
    handTo(follower, network, expiry(stale));
    await follower.replica.propose(set("other", "write"));
    assert.equal(await read(other, "key"), "value");
    handTo(follower, network, expiry(term));
    await until("one of this term does", () => !has(other, "key"));
  });
});

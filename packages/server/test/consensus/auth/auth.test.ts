/** Rules of who may do what, in a cluster. What they say is the store's; here is who is asked, and who not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex } from "@dkv/raft";
import { DkvError } from "../../../src/platform/errors.ts";
import { set, until } from "../cluster.ts";
import { compact, overwrite } from "../history/fixtures.ts";
import {
  calmCluster,
  grant,
  has,
  oneMember,
  pass,
  revoke,
  setWith,
  threeMembers,
} from "../leases/fixtures.ts";
import {
  addUser,
  caller,
  change,
  disable,
  enable,
  grantRole,
  grantWrite,
  revokePermission,
  rules,
} from "./fixtures.ts";

const isRefused =
  (code: string, retry = "never") =>
  (error: unknown): boolean =>
    error instanceof DkvError && error.code === code && error.retry === retry;

describe("while rules are of force", () => {
  it("each member asks who asks, whoever leads, and does what that one may do", async (test) => {
    const running = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers(running);
    await change(follower, ...rules);
    for (const member of [leader, follower]) {
      await member.replica.readBarrier();
      const { replica } = member;
      assert.equal(replica.auth.isEnabled, true);
      await assert.rejects(replica.propose(set("own", "1")), isRefused("userEmpty"));
      await replica.propose(set("own", "1"), undefined, caller(member, "one"));
      await assert.rejects(
        replica.propose(set("other", "1"), undefined, caller(member, "one")),
        isRefused("permissionDenied"),
      );
      await replica.propose(set("other", "1"), undefined, caller(member, "root"));
    }
    await change(leader, disable);
    await follower.replica.propose(set("own", "2"));
  });

  it("who was looked at before a change of the rules may ask again", async (test) => {
    const member = await oneMember(test);
    await change(member, ...rules);
    const { replica } = member;
    const old = caller(member, "one");
    await change(member, revokePermission("some", "own"), grantWrite("some", "other"));
    await assert.rejects(
      replica.propose(set("own", "1"), undefined, old),
      isRefused("authRevisionOld", "notApplied"),
    );
    assert.equal(has(member, "own"), false);
    await replica.propose(set("other", "1"), undefined, caller(member, "one"));
  });

  it("a change of the rules is refused that cannot be, with what is wrong about it", async (test) => {
    const { replica } = await oneMember(test);
    await assert.rejects(replica.propose(enable), isRefused("rootUserMissing"));
    await replica.propose(addUser("root"));
    await assert.rejects(replica.propose(enable), isRefused("rootRoleMissing"));
    await assert.rejects(replica.propose(addUser("root")), isRefused("userExists"));
    await assert.rejects(replica.propose(grantRole("root", "some")), isRefused("roleNotFound"));
    assert.equal(replica.auth.revision, 2n);
  });

  it("leases end when their time is up", async (test) => {
    const running = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers(running);
    await change(leader, ...rules);
    const root = caller(leader, "root");
    await leader.replica.propose(grant(7n, 10), undefined, root);
    await leader.replica.propose(setWith("own", 7n), undefined, root);
    await leader.replica.propose(setWith("other", 7n), undefined, root);
    await follower.replica.readBarrier();
    await assert.rejects(
      follower.replica.propose(revoke(7n), undefined, caller(follower, "one")),
      isRefused("permissionDenied"),
    );
    pass(leader, 12);
    await until("the keys are gone", () =>
      running.members.every((one) => !has(one, "own") && !has(one, "other")),
    );
  });

  it("history is given up that is old, and removed, and by callers only if they are root", async (test) => {
    const autoCompaction = { mode: "revision", revisions: 5 } as const;
    const member = await oneMember(test, { autoCompaction });
    await overwrite(member, 20);
    await change(member, ...rules);
    const { replica, store } = member;
    await assert.rejects(
      replica.propose(compact(2), undefined, caller(member, "one")),
      isRefused("permissionDenied"),
    );
    await replica.propose(compact(2), undefined, caller(member, "root"));
    pass(member, 300);
    await until("the rest is given up", () => store.compaction.revision === store.revision - 5);
    await replica.historyRemoved();
    assert.equal(store.compaction.isRemoved, true);
  });

  it("members compare what they have stored, the rules with it, and raise alarms", async (test) => {
    const running = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers(running);
    await change(leader, ...rules);
    const { members, hasMajority } = await follower.replica.check();
    assert.equal(hasMajority, true);
    assert.deepEqual(
      members.map(({ verdict }) => verdict),
      ["agrees", "agrees", "agrees"],
    );
    await follower.replica.setNoSpace(leader.id, true);
    assert.equal(follower.replica.alarms().length, 1);
  });

  it("they may be changed where nothing else that takes room may be written", async (test) => {
    const member = await oneMember(test);
    const { replica, id } = member;
    await replica.setNoSpace(id, true);
    await assert.rejects(replica.propose(set("own", "1")), isRefused("noSpace", "notApplied"));
    await change(member, ...rules);
    assert.equal(replica.auth.isEnabled, true);
  });
});

describe("a member that takes over the state of another one", () => {
  it("goes by the rules in it", async (test) => {
    const compaction = { snapshotCount: 20, catchupEntries: 5, maxBytes: 1 << 26 };
    const running = await calmCluster(test, 3, { compaction });
    const { leader, other: away } = await threeMembers(running);
    const { network } = running;
    network.cut(away.id);
    await change(leader, ...rules);
    const value = "v".repeat(20_000);
    for (let at = 0; at < 200; at += 1)
      await leader.replica.propose(set("own", value), undefined, caller(leader, "one"));
    assert.equal(away.replica.auth.isEnabled, false);
    await until("the leader has dropped what it needs", () => leader.node.termAt(logIndex(1)) === undefined);
    network.heal(away.id);
    await until("a snapshot has arrived", () => network.snapshots === 1);
    await until("it has the rules", () => away.replica.auth.isEnabled);
    await away.replica.readBarrier();
    await assert.rejects(
      away.replica.propose(set("other", "1"), undefined, caller(away, "one")),
      isRefused("permissionDenied"),
    );
    await away.replica.propose(set("own", "1"), undefined, caller(away, "one"));
  });
});

describe("a member that starts again", () => {
  it("goes by the rules that it had", async (test) => {
    const running = await calmCluster(test, 3);
    const { leader, follower } = await threeMembers(running);
    await change(leader, ...rules);
    await follower.replica.readBarrier();
    await follower.stop();
    const again = await running.start(follower.replica.status().name);
    assert.ok(again.replica.auth.users.size > 0 || again.store.appliedIndex < leader.store.appliedIndex);
    await until("it follows", () => again.replica.status().leaderId === leader.id);
    await again.replica.readBarrier();
    assert.equal(again.replica.auth.isEnabled, true);
    await again.replica.propose(set("own", "1"), undefined, caller(again, "one"));
    await assert.rejects(again.replica.propose(set("own", "1")), isRefused("userEmpty"));
  });
});

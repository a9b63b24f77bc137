import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { TxnCommandSchema, TxnOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { nodeId } from "@dkv/raft";
import type { Operation } from "@dkv/store";
import { takesRoom } from "../../src/consensus/disk-reserve.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { read, remove, type Running, set, until } from "./cluster.ts";
import { compact } from "./history/fixtures.ts";
import { calmCluster, grant, moveLeader, pass, revoke, setWith, threeMembers } from "./leases/fixtures.ts";

const quotaBytes = 1000;

type Part = Extract<Operation, { case: "set" | "delete" | "txn" }>;

function txn(...parts: readonly Operation[]): Operation {
  const failure = parts.filter(isPart).map((operation) => create(TxnOperationSchema, { operation }));
  return { case: "txn", value: create(TxnCommandSchema, { failure }) };
}

const isPart = (operation: Operation): operation is Part =>
  operation.case === "set" || operation.case === "delete" || operation.case === "txn";

const isNoSpace = (error: unknown): boolean => {
  assert.ok(error instanceof DkvError, String(error));
  assert.equal(error.code, "noSpace");
  assert.equal(error.retry, "notApplied");
  assert.match(error.message, /--quota-bytes: nothing was written/);
  return true;
};

const alarms = (members: readonly Running[]): number =>
  members.reduce((sum, { store }) => sum + store.alarms.length, 0);

describe("a state that has reached its quota", () => {
  it("takes nothing on any member that needs room, until it is well below", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { quotaBytes });
    const { leader, follower } = await threeMembers({ members, ...running });
    await leader.replica.propose(set("key", "value"));
    await leader.replica.propose(grant(7n, 1000));
    leader.disk.stateBytes = quotaBytes;
    pass(leader, 3);
    await leader.replica.propose(set("key", "at the quota"));
    leader.disk.stateBytes = quotaBytes + 1;
    pass(leader, 3);
    await until("all know", () => alarms(members) === 3);
    const tooMuch = [set("key", "more"), grant(8n, 10), setWith("key", 7n), txn(set("key", "more"))];
    for (const { replica } of members)
      for (const operation of tooMuch) await assert.rejects(replica.propose(operation), isNoSpace);
    assert.equal(await read(follower, "key"), "at the quota");
    assert.equal((await follower.replica.propose(remove("key"))).kind, "delete");
    assert.equal((await follower.replica.propose(txn(remove("other")))).kind, "txn");
    assert.equal((await follower.replica.propose(revoke(7n))).kind, "lease");
    assert.equal((await follower.replica.propose(compact(3))).kind, "compaction");
    leader.disk.stateBytes = 0.9 * quotaBytes;
    pass(leader, 3);
    await leader.replica.propose(remove("key"));
    assert.equal(alarms(members), 3, "it is not well below");
    leader.disk.stateBytes = 0.9 * quotaBytes - 1;
    await until("writes go on", () => {
      pass(leader, 3);
      return alarms(members) === 0;
    });
    for (const { replica } of members) await replica.propose(set("key", "again"));
  });

  it("leaves alone what a caller has declared, until a caller lifts it", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { quotaBytes });
    const { leader, follower } = await threeMembers({ members, ...running });
    const nobody = nodeId(4711n);
    await follower.replica.setNoSpace(nobody, true);
    await until("all know", () => alarms(members) === 3);
    for (const { replica } of members) {
      await assert.rejects(replica.propose(set("key", "more")), /etcdctl alarm disarm/);
      assert.deepEqual(replica.alarms(), [{ memberId: nobody, kind: "noSpace" }]);
    }
    leader.disk.stateBytes = quotaBytes + 1;
    pass(leader, 3);
    await until("it is found as well", () => alarms(members) === 6);
    leader.disk.stateBytes = 0;
    await until("that is lifted", () => {
      pass(leader, 3);
      return alarms(members) === 3;
    });
    pass(leader, 3);
    await leader.replica.propose(remove("key"));
    assert.equal(alarms(members), 3);
    await follower.replica.setNoSpace(nobody, false);
    await until("writes go on", () => alarms(members) === 0);
    await leader.replica.propose(set("key", "again"));
  });

  it("is not found where there is no quota, whatever was declared", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { quotaBytes: 0 });
    const { leader } = await threeMembers({ members, ...running });
    leader.disk.stateBytes = quotaBytes;
    const nobody = nodeId(4711n);
    await leader.replica.setNoSpace(nobody, true);
    await until("all know", () => alarms(members) === 3);
    pass(leader, 3);
    // Long enough for an alarm to be raised.
    for (let at = 0; at < 5; at += 1) await leader.replica.propose(remove("key"));
    await leader.replica.setNoSpace(nobody, false);
    assert.equal(leader.store.alarms.length, 0);
    await leader.replica.propose(set("key", "again"));
  });

  it("is judged by whoever leads", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { quotaBytes });
    const { leader, follower } = await threeMembers({ members, ...running });
    follower.disk.stateBytes = quotaBytes + 1;
    pass(follower, 3);
    await leader.replica.propose(set("key", "value"));
    leader.disk.stateBytes = quotaBytes + 1;
    pass(leader, 3);
    await until("all know", () => alarms(members) === 3);
    follower.disk.stateBytes = 0;
    await moveLeader(follower);
    await until("the next leader finds room", () => {
      pass(follower, 3);
      return alarms(members) === 0;
    });
  });

  it("has space given back on all members: when history was removed, and after a pause if something was deleted", async (test) => {
    const { members, ...running } = await calmCluster(test, 3, { quotaBytes });
    const { leader } = await threeMembers({ members, ...running });
    await leader.replica.propose(set("key", "value"));
    // Whoever leads by then finds the same.
    for (const { disk } of members) disk.stateBytes = quotaBytes + 1;
    const reclaimed = (): readonly number[] => members.map(({ disk }) => disk.reclaimed);
    /** Time passes only where it has to: the pause of a member that has done it goes on. */
    const have = async (times: number): Promise<void> => {
      await until(`all have ${String(times)} times`, () => {
        const behind = members.filter(({ disk }) => disk.reclaimed < times);
        for (const member of behind) pass(member, 3);
        return behind.length === 0;
      });
    };
    await have(1);
    /** As often as anything that is due needs, and no more changes than are told. */
    const haveStill = async (times: number): Promise<void> => {
      for (let at = 0; at < 3; at += 1) {
        for (const member of members) pass(member, 3);
        await Promise.all(members.map(({ replica }) => replica.historyRemoved()));
      }
      assert.deepEqual(
        reclaimed(),
        members.map(() => times),
      );
    };
    await leader.replica.propose(remove("key"));
    await haveStill(1);
    for (const member of members) pass(member, 60);
    await have(2);
    for (const member of members) pass(member, 3000);
    await haveStill(2);
    await leader.replica.propose(remove("nothing"));
    await haveStill(2);
    await leader.replica.propose(compact(3));
    await have(3);
    await haveStill(3);
  });

  it("alone does not void the alarm of the only member", async (test) => {
    const { members, leader: aLeader } = await calmCluster(test, 1, { quotaBytes });
    const leader = await aLeader();
    leader.disk.stateBytes = quotaBytes + 1;
    await until("it is raised", () => {
      pass(leader, 3);
      return alarms(members) === 1;
    });
    pass(leader, 3);
    await leader.replica.propose(remove("key"));
    await assert.rejects(leader.replica.propose(set("key", "value")), isNoSpace);
    const { alarms: texts, dataBytes } = await leader.replica.details();
    assert.deepEqual(texts, ["m1: the state has reached its quota"]);
    assert.equal(dataBytes, quotaBytes + 1);
  });
});

describe("what takes room", () => {
  it("is a set, a lease, and a transaction that may set in any branch", () => {
    const inner = txn(remove("key"), set("key", "value"));
    for (const operation of [set("key", "value"), grant(7n, 10), inner, txn(inner)])
      assert.equal(takesRoom(operation), true, operation.case);
    for (const operation of [
      remove("key"),
      revoke(7n),
      compact(1),
      txn(remove("key")),
      txn(txn(remove("key"))),
    ])
      assert.equal(takesRoom(operation), false, operation.case);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AlarmRequest_AlarmAction as AlarmAction, AlarmType } from "@dkv/protocol/etcdserverpb/rpc";
import { bytes, deleteOp, everything, putOp, rangeOp, refusalOf, textOf, txnOp } from "../etcd-client.ts";
import { denied, logIn, openRuled } from "./etcd-users.ts";
import { addUser, allow, change } from "./rules.ts";

describe("a user", () => {
  it("reads and writes what a role permits, and nothing else", async (t) => {
    const port = await openRuled(t);
    const root = await logIn(port, "root");
    for (const key of ["a", "b", "c"]) await root.kv.put({ key: bytes(key), value: bytes(key) });
    await allow(port.member, "poor", { kind: "read", key: "a", rangeEnd: "c" });
    await allow(port.member, "poor", { kind: "write", key: "b", rangeEnd: "d" });
    const { kv } = await logIn(port, "poor");
    assert.equal((await kv.range({ key: bytes("a"), rangeEnd: bytes("c") })).count, 2n);
    assert.equal((await kv.range({ key: bytes("a"), serializable: true })).count, 1n);
    await kv.put({ key: bytes("c"), value: bytes("new") });
    await kv.deleteRange({ key: bytes("b"), prevKv: true });
    const calls = [
      kv.range({ key: bytes("c") }),
      kv.range({ key: bytes("c"), serializable: true }),
      kv.range({ key: bytes("c"), revision: 2n }),
      kv.range({ key: bytes("a"), rangeEnd: bytes("d"), countOnly: true }),
      kv.range(everything),
      kv.put({ key: bytes("a") }),
      kv.put({ key: bytes("c"), prevKv: true }),
      kv.deleteRange({ key: bytes("c"), prevKv: true }),
      kv.deleteRange(everything),
      kv.txn({ compare: [{ key: bytes("c") }] }),
      kv.txn({ success: [rangeOp("a")], failure: [rangeOp("c")] }),
      kv.txn({ success: [putOp("a")] }),
      kv.txn({ success: [txnOp({ failure: [deleteOp("a")] })] }),
      kv.compact({ revision: 2n }),
      (async () => {
        for await (const _ of kv.rangeStream({ key: bytes("c") }));
      })(),
    ];
    assert.deepEqual(
      await Promise.all(calls.map(refusalOf)),
      calls.map(() => denied),
    );
    assert.equal(textOf((await root.kv.range({ key: bytes("a") })).kvs[0]?.value ?? bytes("")), "a");
  });

  it("loses at once what is taken away", async (t) => {
    const port = await openRuled(t);
    await allow(port.member, "poor", { kind: "both", key: "a" });
    const { kv } = await logIn(port, "poor");
    await kv.put({ key: bytes("a") });
    await change(port.member, { case: "revokeRole", value: { user: "poor", role: "poor" } });
    assert.equal(await refusalOf(kv.put({ key: bytes("a") })), denied);
    assert.equal(await refusalOf(kv.range({ key: bytes("a") })), denied);
    await change(port.member, { case: "deleteUser", value: { name: "poor" } });
    assert.equal(
      await refusalOf(kv.range({ key: bytes("a") })),
      "Unauthenticated: etcdserver: invalid auth token",
    );
  });

  it("asks again if the rules change while a write is under way", async (t) => {
    const port = await openRuled(t);
    await allow(port.member, "poor", { kind: "write", key: "a" });
    const { kv } = await logIn(port, "poor");
    const release = port.member.holdWrites();
    const before = port.member.proposals;
    const writing = kv.put({ key: bytes("a") });
    while (port.member.proposals === before) await new Promise((resolve) => setTimeout(resolve, 1));
    await addUser(port.member, "ann");
    release();
    await writing;
    assert.equal(port.member.proposals, before + 2);
  });

  it("sees of leases only what its keys allow", async (t) => {
    const port = await openRuled(t);
    const root = await logIn(port, "root");
    const { ID } = await root.lease.leaseGrant({ TTL: 100n });
    await root.kv.put({ key: bytes("a"), lease: ID });
    await root.kv.put({ key: bytes("b"), lease: ID });
    await allow(port.member, "poor", { kind: "both", key: "a" });
    const { lease, kv } = await logIn(port, "poor");
    const { ID: own } = await lease.leaseGrant({ TTL: 100n });
    await kv.put({ key: bytes("a"), lease: own });
    const alive = async (id: bigint): Promise<bigint> => {
      for await (const { TTL } of lease.leaseKeepAlive(
        (async function* () {
          yield { ID: id };
          await Promise.resolve();
        })(),
      ))
        return TTL;
      return -1n;
    };
    assert.equal(await alive(own), 100n);
    assert.equal(textOf((await lease.leaseTimeToLive({ ID: own, keys: true })).keys[0] ?? bytes("")), "a");
    const calls = [
      alive(ID),
      lease.leaseTimeToLive({ ID, keys: true }),
      lease.leaseLeases({}),
      lease.leaseRevoke({ ID }),
      kv.put({ key: bytes("a"), lease: ID }),
    ];
    assert.deepEqual(
      await Promise.all(calls.map(refusalOf)),
      calls.map(() => denied),
    );
    assert.equal((await lease.leaseTimeToLive({ ID })).grantedTTL, 100n);
    await lease.leaseRevoke({ ID: own });
    assert.equal((await root.lease.leaseLeases({})).leases.length, 1);
  });

  it("locks, and stands for election, where the keys below the name may be read and written", async (t) => {
    const port = await openRuled(t);
    await allow(port.member, "poor", { kind: "both", key: "a/", rangeEnd: "a0" });
    await allow(port.member, "poor", { kind: "read", key: "b/", rangeEnd: "b0" });
    const root = await logIn(port, "root");
    const { key: held } = await root.lock.lock({ name: bytes("b/lock") });
    const { leader } = await root.election.campaign({ name: bytes("b/seat"), value: bytes("root") });
    const { lock, election, lease } = await logIn(port, "poor");
    const { ID } = await lease.leaseGrant({ TTL: 100n });
    const { key } = await lock.lock({ name: bytes("a"), lease: ID });
    await lock.unlock({ key });
    const elected = await election.campaign({ name: bytes("a"), lease: ID, value: bytes("poor") });
    assert.ok(elected.leader !== undefined && leader !== undefined);
    await election.proclaim({ leader: elected.leader, value: bytes("still poor") });
    assert.equal(textOf((await election.leader({ name: bytes("b/seat") })).kv?.value ?? bytes("")), "root");
    await election.resign({ leader: elected.leader });
    const calls = [
      lock.lock({ name: bytes("b/lock"), lease: ID }),
      lock.unlock({ key: held }),
      election.campaign({ name: bytes("b/seat"), lease: ID }),
      election.proclaim({ leader, value: bytes("poor") }),
      election.resign({ leader }),
      election.leader({ name: bytes("c") }),
      (async () => {
        for await (const _ of election.observe({ name: bytes("c") }));
      })(),
    ];
    for (const refusal of await Promise.all(calls.map(refusalOf)))
      assert.match(refusal, /^Unknown: .*etcdserver: permission denied$/);
    assert.equal(
      textOf((await root.election.leader({ name: bytes("b/seat") })).kv?.value ?? bytes("")),
      "root",
    );
  });

  it("looks at members, alarms and the status of each member, and changes none of them", async (t) => {
    const port = await openRuled(t);
    const { cluster, maintenance } = await logIn(port, "poor");
    assert.equal((await cluster.memberList({})).members.length, 1);
    assert.deepEqual((await maintenance.alarm({})).alarms, []);
    assert.equal((await maintenance.status({})).leader, port.member.status().leaderId);
    const memberID = port.member.status().memberId;
    for (const action of [AlarmAction.ACTIVATE, AlarmAction.DEACTIVATE])
      assert.equal(
        await refusalOf(maintenance.alarm({ action, memberID, alarm: AlarmType.NOSPACE })),
        denied,
      );
    assert.equal(await refusalOf(cluster.memberAdd({ peerURLs: ["http://localhost:1"] })), denied);
    assert.deepEqual(port.member.changes, []);
  });
});

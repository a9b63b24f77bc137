import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { Retry } from "@dkv/protocol/dkv/v1/dkv";

import { FakeStore } from "./fake-store.ts";
import { client, fails, member, storeMember } from "./fixture.ts";
import { refusal, type ScriptedMember } from "./scripted-member.ts";

test("a lease is granted, kept, looked at, and revoked with its keys", async (t) => {
  const { dkv, store } = await storeMember(t);
  const { id, ttlSeconds } = await dkv.grantLease(60);
  assert.ok(id > 0n && ttlSeconds === 60);
  await dkv.set("k", "v", { lease: id });
  assert.equal((await dkv.get("k"))?.lease, id);
  assert.equal((await dkv.keepLeaseAlive({ id })).ttlSeconds, 60);
  const info = await dkv.getLease(id, { returnKeys: true });
  assert.deepEqual([info.grantedTtlSeconds, info.keys.map(({ key }) => key)], [60, ["k"]]);
  assert.deepEqual((await dkv.listLeases()).ids, [id]);
  assert.equal((await dkv.revokeLease(id)).revoked, true);
  assert.deepEqual(store.keys, []);
  assert.equal((await dkv.revokeLease(id)).revoked, false);
  await fails(dkv.keepLeaseAlive(id), { code: "lease_not_found", retry: "never" });
  await fails(dkv.getLease(id), { code: "lease_not_found", retry: "never" });
  await fails(dkv.set("k", "v", { lease: id }), { code: "lease_not_found", retry: "never" });
});

const loseOneAnswer = (only: ScriptedMember): void => {
  only.afterwards = () => {
    only.afterwards = () => {};
    throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
};

test("a grant whose answer is lost makes one lease, and a revocation succeeds", async (t) => {
  const { dkv, store, only } = await storeMember(t);
  loseOneAnswer(only);
  const { id, ttlSeconds } = await dkv.grantLease(60);
  assert.deepEqual([[...store.leases.keys()], ttlSeconds], [[id], 60]);
  loseOneAnswer(only);
  assert.equal((await dkv.revokeLease(id)).revoked, true);
  const { id: chosen } = await dkv.grantLease(60, { id: 5n });
  assert.equal(chosen, 5n);
  await fails(dkv.grantLease(60, { id: 5n }), { code: "lease_exists", retry: "never" });
});

test("a lease keeps itself alive, as long as the cluster knows it", async (t) => {
  const { dkv, store, only } = await storeMember(t);
  const kept = Promise.withResolvers<void>();
  let refusals = 2;
  only.script = ({ method }) => {
    if (store.renewals.length === 3) kept.resolve();
    if (method !== "keepLeaseAlive" || store.renewals.length !== 1 || refusals === 0) return;
    refusals -= 1;
    throw refusal("outcome_unknown", Retry.OUTCOME_UNKNOWN);
  };
  const lease = await dkv.lease(3);
  await kept.promise;
  assert.equal(lease.lost.aborted, false);
  store.end(lease.id);
  await once(lease.lost, "abort");
  assert.match(String(lease.lost.reason), /the lease is lost: refused: lease_not_found/);
  await lease.close();
});

function countThen(store: FakeStore, count: number, then: () => void): ScriptedMember["script"] {
  return () => {
    if (store.renewals.length >= count) then();
  };
}

test("a lease whose time is over without a word from any member is lost", async (t) => {
  const { dkv, only } = await storeMember(t);
  const lease = await dkv.lease(1);
  const startedMs = performance.now();
  await only.stop().catch(() => undefined);
  await once(lease.lost, "abort");
  assert.ok(performance.now() - startedMs < 1200, "later than its time");
  assert.match(String(lease.lost.reason), /its time is over, and no member was reached/);
});

test("a lease that is closed is not lost, and one of a closed client is", async (t) => {
  const { dkv, store } = await storeMember(t);
  const closed = await dkv.lease(60);
  await closed.close();
  await closed.close();
  assert.deepEqual([store.leases.size, closed.lost.aborted], [0, false]);
  const other = await dkv.lease(60);
  dkv.close();
  if (!other.lost.aborted) await once(other.lost, "abort");
  assert.match(String(other.lost.reason), /lease_lost|the lease is lost/);
});

test("a lease goes on with another member", async (t) => {
  const store = new FakeStore();
  const [one, two] = [await member(t, { store }), await member(t, { store })];
  const kept = Promise.withResolvers<void>();
  two.script = countThen(store, 1, kept.resolve);
  const lease = await client(t, { endpoints: [one.endpoint, two.endpoint] }).lease(1);
  await one.stop();
  await kept.promise;
  assert.equal(lease.lost.aborted, false);
  await lease.close();
});

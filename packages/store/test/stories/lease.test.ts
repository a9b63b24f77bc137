/** What leases promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkpoint, del, expire, grant, range, revoke, set, txn } from "../commands.ts";
import { changeName, Play } from "../play.ts";

const everything = range("", "\0");

test("a lease that an earlier leader has found to be over lives on (etcd 15247)", async () => {
  const play = new Play();
  play.term = 4;
  play.now(grant(1n, 5n));
  play.now(set("a", "1", { lease: 1n }));
  play.term = 5;
  assert.deepEqual(await play.do(expire([1n], 4)), { kind: "expiry", revision: 2, expired: [] });
  assert.deepEqual(await play.do(expire([1n], 6)), { kind: "expiry", revision: 2, expired: [] });
  assert.equal(play.value("a"), "1");
  assert.deepEqual(await play.do(expire([1n], 5)), { kind: "expiry", revision: 3, expired: [1n] });
  assert.equal(play.value("a"), undefined);
  assert.equal(play.store.lease(1n), undefined);
});

test("a lease that got the id of one that is gone does not end in its place", async () => {
  for (const isSaved of [false, true]) {
    const play = new Play();
    play.now(grant(1n, 5n));
    const { appliedIndex } = play.store;
    // The leader finds now that the time of the lease is up, and others are before it in the log.
    await play.do(revoke(1n));
    play.now(grant(1n, 60n));
    play.now(set("a", "1", { lease: 1n }));
    if (isSaved) play.save();
    if (isSaved) play.reopen();
    assert.deepEqual(await play.do(expire([1n], 1, appliedIndex)), {
      kind: "expiry",
      revision: 2,
      expired: [],
    });
    assert.equal(play.value("a"), "1");
    assert.deepEqual(await play.do(expire([1n], 1, 2)), { kind: "expiry", revision: 2, expired: [] });
    assert.deepEqual(await play.do(expire([1n], 1, 3)), { kind: "expiry", revision: 3, expired: [1n] });
    assert.equal(play.value("a"), undefined);
  }
});

test("a lease that a write has granted under an id again does not end in the place of the former one", async () => {
  const play = new Play();
  for (const write of [
    set("a", "1", { lease: 1n, grantTtl: 6n }),
    txn({ success: [txn({ success: [set("a", "2", { lease: 1n, grantTtl: 6n })] })] }),
  ]) {
    play.now(grant(1n, 5n));
    const { appliedIndex } = play.store;
    await play.do(revoke(1n));
    await play.do(write);
    const granted = play.store.appliedIndex;
    await play.do(expire([1n], 1, appliedIndex));
    assert.deepEqual(play.store.lease(1n), { grantedTtl: 6n, remainingTtl: 0n, grantedIndex: granted });
    await play.do(expire([1n], 1, granted));
    assert.equal(play.store.lease(1n), undefined);
  }
});

test("what was noted of a lease is not said of another one that got its id", async () => {
  const play = new Play();
  play.now(grant(1n, 600n));
  const { appliedIndex } = play.store;
  await play.do(revoke(1n));
  play.now(grant(1n, 3600n));
  play.now(checkpoint(1n, 40n, appliedIndex));
  assert.equal(play.store.lease(1n)?.remainingTtl, 0n);
  play.now(checkpoint(1n, 40n, appliedIndex + 2));
  assert.deepEqual(play.store.lease(1n), { grantedTtl: 3600n, remainingTtl: 40n, grantedIndex: 3 });
});

test("no lease is granted under 0, which is none", async () => {
  const play = new Play();
  play.now(set("kept", "1"));
  const refused = { kind: "refused", revision: 2, reason: "noLeaseId" } as const;
  assert.deepEqual(play.now(grant(0n, 5n)), refused);
  assert.deepEqual(play.now(set("a", "1", { grantTtl: 5n })), refused);
  assert.deepEqual(play.now(set("kept", "2", { keepLease: true, lease: 7n, grantTtl: 5n })), refused);
  const within = [set("b", "1"), txn({ success: [set("a", "1", { grantTtl: 5n })] })];
  assert.deepEqual(await play.do(txn({ success: within })), refused);
  assert.equal(play.store.lease(0n), undefined);
  assert.deepEqual(await play.found(everything), ["kept=1"]);
});

test("a revocation deletes the keys in the order of their bytes, in one revision", async () => {
  const keys = ["b", "a\0", "\xff", "a", "aa", "\0"];
  for (const isSaved of [false, true]) {
    const play = new Play();
    play.now(grant(1n, 5n));
    for (const key of keys) play.now(set(key, "1", { lease: 1n }));
    if (isSaved) play.save();
    // Some of the attachments are on the disk, and some are not yet.
    play.now(set("ab", "1", { lease: 1n }));
    const { result, changes } = await play.applied(revoke(1n));
    assert.deepEqual(result, { kind: "lease", revision: 9 });
    assert.deepEqual(
      changes.map(changeName),
      ["\0", "a", "a\0", "aa", "ab", "b", "\xff"].map((key, at) => `9.${String(at)} ${key} deleted`),
    );
    assert.deepEqual(await play.found(everything), []);
  }
});

test("a lease without keys ends without a revision", async () => {
  const play = new Play();
  play.now(grant(1n, 5n));
  assert.deepEqual(await play.do(revoke(1n)), { kind: "lease", revision: 1 });
  assert.equal(play.store.lease(1n), undefined);
});

test("each lease that expires makes a revision of its own", async () => {
  const play = new Play();
  for (const id of [1n, 2n, 3n]) play.now(grant(id, 5n));
  for (const id of [1n, 2n]) play.now(set(`of ${String(id)}`, "1", { lease: id }));
  const { result, changes } = await play.applied(expire([1n, 2n, 3n, 4n, 1n], 1));
  assert.deepEqual(result, { kind: "expiry", revision: 5, expired: [1n, 2n, 3n] });
  assert.deepEqual(changes.map(changeName), ["4.0 of 1 deleted", "5.0 of 2 deleted"]);
});

test("a set without the lease takes the key out of it", async () => {
  const play = new Play();
  play.now(grant(1n, 5n));
  play.now(set("a", "1", { lease: 1n }));
  play.save();
  play.now(set("a", "2"));
  await play.do(revoke(1n));
  assert.equal(play.value("a"), "2");
  play.save();
  assert.ok(![...play.disk.records.keys()].some((key) => key.startsWith("14")), "no attachment is left");
});

test("a set with another lease moves the key, and one that keeps the lease does not", async () => {
  const play = new Play();
  play.now(grant(1n, 5n));
  play.now(grant(2n, 5n));
  play.now(set("moved", "1", { lease: 1n }));
  play.now(set("kept", "1", { lease: 1n }));
  play.save();
  play.now(set("moved", "2", { lease: 2n }));
  play.now(set("kept", "2", { keepLease: true }));
  assert.equal(play.store.get(Buffer.from("kept"))?.lease, 1n);
  await play.do(revoke(1n));
  assert.deepEqual(await play.found(everything), ["moved=2"]);
  await play.do(revoke(2n));
  assert.deepEqual(await play.found(everything), []);
});

test("a key that was deleted and set anew has nothing to do with the lease that it had", async () => {
  const play = new Play();
  play.now(grant(1n, 5n));
  play.now(set("a", "1", { lease: 1n }));
  play.now(del("a"));
  play.now(set("a", "2"));
  await play.do(revoke(1n));
  assert.equal(play.value("a"), "2");
});

test("a lease is there once, and only what is there can be used or ended", async () => {
  const play = new Play();
  const refused = (reason: string) => ({ kind: "refused", revision: play.store.revision, reason });
  assert.deepEqual(play.now(set("a", "1", { lease: 1n })), refused("leaseNotFound"));
  assert.deepEqual(await play.do(revoke(1n)), refused("leaseNotFound"));
  play.now(grant(1n, 5n));
  assert.deepEqual(play.now(grant(1n, 6n)), refused("leaseExists"));
  assert.deepEqual(play.now(set("a", "1", { lease: 1n, grantTtl: 6n })), refused("leaseExists"));
  assert.deepEqual(play.store.lease(1n), { grantedTtl: 5n, remainingTtl: 0n, grantedIndex: 3 });
  assert.equal(play.value("a"), undefined);
});

test("a set can bring its lease along, alone and within a transaction", async () => {
  const play = new Play();
  play.now(set("a", "1", { lease: 1n, grantTtl: 6n }));
  await play.do(txn({ success: [set("b", "1", { lease: 2n, grantTtl: 7n }), set("c", "1", { lease: 2n })] }));
  assert.deepEqual([play.store.lease(1n)?.grantedTtl, play.store.lease(2n)?.grantedTtl], [6n, 7n]);
  await play.do(revoke(2n));
  assert.deepEqual(await play.found(everything), ["a=1"]);
});

test("a checkpoint notes the time that is left, and makes no lease of what is none", () => {
  const play = new Play();
  play.now(grant(1n, 60n));
  play.now(checkpoint(1n, 40n));
  play.now(checkpoint(2n, 40n));
  play.save();
  play.reopen();
  assert.deepEqual(play.store.lease(1n), { grantedTtl: 60n, remainingTtl: 40n, grantedIndex: 1 });
  assert.equal(play.store.lease(2n), undefined);
  play.now(checkpoint(1n, 0n));
  assert.equal(play.store.lease(1n)?.remainingTtl, 0n);
});

test("keys keep their lease in every earlier revision", async () => {
  const play = new Play();
  play.now(grant(-1n, 5n));
  play.now(set("a", "1", { lease: -1n }));
  play.now(set("a", "2"));
  play.save();
  const result = await play.store.range(range("a", "", { revision: 2n }));
  assert.ok(result.kind === "range");
  assert.equal(result.found[0]?.lease, -1n);
});

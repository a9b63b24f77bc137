/** Watches, as clients of etcd have them: many on one stream. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WatchCreateRequest_FilterType as Filter } from "@dkv/protocol/etcdserverpb/rpc";
import { toByteString } from "@dkv/store";
import { groupsOf } from "../../src/api/etcd-v3/watch-requests.ts";
import type { WatchMessage } from "../../src/consensus/member.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { bytes, putOp, refusalOf, ways } from "./etcd-client.ts";
import { put, remove, watching } from "./etcd-watching.ts";

for (const way of ways) {
  describe(`Watch of etcd, ${way}`, () => {
    it("tells several watches of one stream what each wants", async (t) => {
      const stream = await watching(t, way);
      await put(stream, "a", "1");
      stream.create({ key: bytes("a"), rangeEnd: bytes("b"), prevKv: true });
      assert.equal(await stream.told(), "0@2: created");
      stream.create({ key: bytes("c"), watchId: 7n, filters: [Filter.NOPUT] });
      assert.equal(await stream.told(), "7@2: created");
      stream.create({ key: bytes("d"), filters: [Filter.NODELETE] });
      assert.equal(await stream.told(), "1@2: created");
      await put(stream, "a", "2");
      assert.equal(await stream.told(), "0@3: a=2@3 was 1");
      await put(stream, "c", "1");
      await remove(stream, "c");
      assert.equal(await stream.told(), "7@5: cdeleted@5");
      await remove(stream, "a");
      assert.equal(await stream.told(), "0@6: adeleted@6 was 2");
      await put(stream, "d", "1");
      await remove(stream, "d");
      await put(stream, "d", "2");
      assert.equal(await stream.told(), "1@7: d=1@7");
      assert.equal(await stream.told(), "1@9: d=2@9");
    });

    it("tells of the past, and of nothing once it is cancelled", async (t) => {
      const stream = await watching(t, way);
      await put(stream, "a", "1");
      await put(stream, "a", "2");
      stream.create({ key: bytes("a"), startRevision: 2n });
      assert.equal(await stream.told(), "0@3: created");
      const past = await stream.next();
      assert.deepEqual(
        past.events.map(({ kv }) => kv?.modRevision),
        [2n, 3n],
      );
      stream.cancel(4711n);
      stream.nothing();
      stream.cancel(0n);
      assert.equal(await stream.told(), "0@3: canceled");
      const { watches } = stream.client.member;
      const { calls } = watches;
      await put(stream, "a", "3");
      stream.create({ key: bytes("a") });
      assert.equal(await stream.told(), "1@4: created");
      assert.equal(watches.calls, calls, "the member has nothing to say of it either");
    });

    it("says why there is no such watch", async (t) => {
      const stream = await watching(t, way);
      stream.create({ key: bytes("a"), startRevision: -1n });
      assert.equal(
        await stream.told(),
        "-1@1: created, canceled, etcdserver: mvcc: required revision has been compacted",
      );
      stream.create({ key: bytes("b"), rangeEnd: bytes("a") });
      assert.equal(await stream.told(), "-1@1: created, canceled, mvcc: watcher range is empty");
      stream.create({ key: bytes("a"), watchId: 5n });
      assert.equal(await stream.told(), "5@1: created");
      stream.create({ key: bytes("a"), watchId: 5n });
      assert.equal(
        await stream.told(),
        "-1@1: created, canceled, mvcc: duplicate watch ID provided on the WatchStream",
      );
    });

    it("ends a watch whose history was given up; its id is free when it is cancelled", async (t) => {
      const stream = await watching(t, way);
      for (const value of ["1", "2", "3"]) await put(stream, "a", value);
      await stream.client.kv.compact({ revision: 4n });
      stream.create({ key: bytes("a"), startRevision: 3n, watchId: 9n });
      assert.equal(await stream.told(), "9@4: created");
      assert.equal(await stream.told(), "9@0: canceled, compacted 4");
      stream.create({ key: bytes("a"), watchId: 9n });
      assert.match(await stream.told(), /duplicate watch ID/);
      stream.cancel(9n);
      assert.equal(await stream.told(), "9@4: canceled");
      stream.create({ startRevision: 4n, watchId: 9n, rangeEnd: bytes("\0") });
      assert.equal(await stream.told(), "9@4: created");
      assert.equal(await stream.told(), "9@4: a=3@4");
    });

    it("tells on request how far all watches have come", async (t) => {
      const stream = await watching(t, way);
      stream.requestProgress();
      stream.create({ key: bytes("a") });
      assert.equal(await stream.told(), "0@1: created");
      await put(stream, "b");
      stream.requestProgress();
      assert.equal(await stream.told(), "-1@2: ");
    });
  });
}

describe("Watch of etcd", () => {
  it("tells a revision that is large in fragments, where that is allowed", async (t) => {
    const stream = await watching(t, "fast", { maxRequestBytes: 2_000_000 });
    const value = "x".repeat(600_000);
    const { kv } = stream.client;
    const success = [putOp("k1", value), putOp("k2", value), putOp("k3", value)];
    await kv.txn({ success });
    stream.create({ key: bytes("k"), rangeEnd: bytes("l"), prevKv: true, fragment: true });
    assert.equal(await stream.told(), "0@2: created");
    stream.create({ key: bytes("k"), rangeEnd: bytes("l"), prevKv: true });
    assert.equal(await stream.told(), "1@2: created");
    await kv.txn({ success });
    const answers = [await stream.next(), await stream.next(), await stream.next()];
    assert.deepEqual(
      answers.map(({ watchId, fragment, events }) => [watchId, fragment, events.length]),
      [
        [0n, true, 2],
        [0n, false, 1],
        [1n, false, 3],
      ],
    );
  });

  it("keeps the ids of a thousand whose history was given up, and of no more", async (t) => {
    const stream = await watching(t, "fast");
    for (const value of ["1", "2", "3"]) await put(stream, "a", value);
    await stream.client.kv.compact({ revision: 4n });
    const lost = 1001;
    for (let id = 0; id < lost; id += 1) stream.create({ key: bytes("a"), startRevision: 2n });
    for (let ended = 0; ended < lost; ) if ((await stream.next()).canceled) ended += 1;
    stream.create({ key: bytes("a"), watchId: 1n });
    assert.match(await stream.told(), /duplicate watch ID/);
    stream.cancel(0n);
    stream.cancel(2n);
    assert.equal(await stream.told(), "2@4: canceled");
  });

  it("is refused by a member that has as many as it can, and the stream goes on", async (t) => {
    const stream = await watching(t, "fast");
    const { watches } = stream.client.member;
    watches.failure = new DkvError("overloaded", "as many as it can");
    stream.create({ key: bytes("a") });
    assert.equal(await stream.told(), "-1@1: created, canceled, etcdserver: too many requests");
    watches.failure = undefined;
    stream.create({ key: bytes("a") });
    assert.equal(await stream.told(), "0@1: created");
  });

  it("ends with etcd's words when the member has no leader", async (t) => {
    const stream = await watching(t, "fast");
    stream.create({ key: bytes("a") });
    assert.equal(await stream.told(), "0@1: created");
    const { watches } = stream.client.member;
    watches.failure = new DkvError("noLeader", "no quorum");
    watches.wake();
    assert.equal(await refusalOf(stream.next()), "Unavailable: etcdserver: no leader");
  });
});

describe("what a watch of etcd is told together", () => {
  const events = (id: number, revision: number, count: number): WatchMessage => {
    const made = { isDeleted: true, modRevision: revision, sub: 0 } as const;
    const change = { key: toByteString(bytes("a")), made, previous: undefined };
    const event = { change, previous: undefined };
    return { kind: "events", id, revision, events: Array.from({ length: count }, () => event) };
  };
  /** Revisions of each answer. */
  const together = (messages: readonly WatchMessage[]): unknown =>
    groupsOf(messages).map((group) =>
      group.kind === "events" ? group.list.map(({ revision }) => revision) : group.kind,
    );

  it("are small revisions as long as they follow each other, and a large one by itself", () => {
    assert.deepEqual(together([events(1, 2, 60), events(1, 3, 40), events(1, 4, 1)]), [[2, 3], [4]]);
    assert.deepEqual(together([events(1, 2, 1), events(1, 3, 1000), events(1, 4, 1)]), [[2], [3], [4]]);
    const progress = { kind: "progress", revision: 4 } as const;
    assert.deepEqual(together([events(1, 2, 1), progress, events(1, 5, 1)]), [[2], "progress", [5]]);
    assert.deepEqual(together([events(1, 2, 1), events(2, 2, 1), events(1, 3, 1)]), [[2], [2], [3]]);
  });
});

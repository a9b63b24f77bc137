import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import { encodeHelloReply } from "../../src/codec/handshake-codec.ts";
import { DkvError } from "../../src/platform/errors.ts";
import type { PeerEvents } from "../../src/transport/peer-transport.ts";
import type { Snapshot } from "../../src/transport/snapshot/snapshot.ts";
import {
  addresses,
  authority,
  exchange,
  impostor,
  issue,
  member,
  Record,
  replyOf,
  start,
  started,
  type Stranger,
  tlsFiles,
} from "./fixture.ts";
import { header, madeUp, type Pair, pair, passage, send, Shelf } from "./snapshots.ts";

const here = await issue(["localhost"]);
const tls = tlsFiles(authority, here);
const range = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, position) => position + 1);
const complete = { kind: "complete" };
/** Nothing of it ever resolves. */
const never = new Promise<void>(() => undefined);

describe("a snapshot", () => {
  for (const [mode, overrides] of [
    ["in clear", { tls: undefined }],
    ["with TLS", {}],
  ] as const) {
    it(`arrives whole, in order, and once, ${mode}`, async () => {
      const both = await pair(overrides);
      const snapshot = madeUp(40, 100_000);
      assert.deepEqual(await send(both, snapshot).done, complete);
      assert.deepEqual(both.shelf.written.items, range(40));
      assert.deepEqual(both.shelf.trailers, [{ chunks: 40, records: 40, chain: 7 }]);
      assert.deepEqual(both.shelf.completions.items, [header.snapshotId]);
      assert.deepEqual(both.shelf.offers, [{ term: 3, snapshotId: header.snapshotId }]);
      assert.equal(both.shelf.open, 0);
      assert.equal(snapshot.readers(), 0);
    });
  }

  it("goes on where it was when the connection breaks, at whichever chunk", async () => {
    const all = await addresses(3);
    const [first, second, between] = all;
    assert.ok(first !== undefined && second !== undefined && between !== undefined);
    const shelf = new Shelf();
    const b = member(all, 1, { tls, peers: [] });
    b.transport.setPeers([first], new Set());
    await start(b, shelf.events());
    const { cut } = await passage(second, between);
    const peers = [{ ...second, peerAddress: between.peerAddress }];
    // Slow, so that no more than one chunk is on its way.
    const a = await started(all, 0, { tls, peers, snapshotBytesPerSecond: 500_000 });
    const broken = new Set<number>();
    shelf.onWrite = (number) => {
      if (!broken.has(number)) cut();
      broken.add(number);
      return Promise.resolve();
    };
    shelf.onFinish = () => {
      if (!broken.has(0)) cut();
      broken.add(0);
      return Promise.resolve();
    };
    const snapshot = madeUp(8, 100_000);
    assert.deepEqual(await a.transport.sendSnapshot(second.id, snapshot, term(3)).done, complete);
    assert.deepEqual(shelf.written.items, range(8));
    assert.ok(shelf.offers.length >= 8);
    assert.equal(shelf.mostOpen, 1);
    assert.equal(shelf.open, 0);
    assert.equal(snapshot.readers(), 0);
  });

  it("does not delay what else members say, and waits for a slow disk with little in memory", async () => {
    const timing = { pingMs: 20, silenceMs: 1_000, backoff: { firstMs: 5, maxMs: 20 } };
    const both = await pair({ timing });
    const { a, b, shelf } = both;
    const gate = Promise.withResolvers<void>();
    shelf.onWrite = (number) => (number === 3 ? gate.promise : Promise.resolve());
    const snapshot = madeUp(300, 256 * 1024);
    const { done } = send(both, snapshot);
    await shelf.written.find((number) => number === 2);
    // Longer than a silence may last: the disk is slow, and the connection is not.
    for (const value of range(60)) {
      await exchange(a, b, value);
      await exchange(b, a, value);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const waiting = snapshot.read.length;
    assert.ok(waiting < 150, `${String(waiting)} of 300 chunks were read while the third was being written`);
    assert.deepEqual(shelf.written.items, [1, 2]);
    gate.resolve();
    assert.deepEqual(await done, complete);
    assert.deepEqual(shelf.written.items, range(300));
    assert.equal(shelf.offers.length, 1);
    assert.ok(![...a.log.items, ...b.log.items].some(({ msg }) => msg === "lost connection to peer"));
  });

  it("leaves no faster than it may", async () => {
    const both = await pair({ snapshotBytesPerSecond: 100 });
    const transfer = send(both, madeUp(3, 10_000));
    await both.shelf.written.find((number) => number === 1);
    for (const value of range(20)) await exchange(both.a, both.b, value);
    assert.deepEqual(both.shelf.written.items, [1]);
    transfer.cancel();
    assert.deepEqual(await transfer.done, { kind: "cancelled" });
  });
});

describe("a snapshot that is not wanted", () => {
  const refusals: readonly (readonly [string, Partial<PeerEvents>, RegExp])[] = [
    [
      "by the member",
      { onSnapshot: () => Promise.resolve({ kind: "refuse", reason: "I have it all" }) },
      /I have it all/,
    ],
    ["for its disk", { onSnapshot: () => Promise.reject(new Error("no room")) }, /no room/],
  ];
  for (const [name, events, reason] of refusals) {
    it(`is refused, and the sender told why: ${name}`, async () => {
      const both = await pair({}, events);
      const outcome = await send(both, madeUp(3)).done;
      assert.ok(outcome.kind === "refused" && reason.test(outcome.reason));
      await exchange(both.a, both.b, 1);
    });
  }

  it("is refused when it belongs to another cluster, before anybody is asked", async () => {
    const both = await pair();
    const outcome = await send(both, madeUp(3, 1000, { clusterId: 0xbadn })).done;
    assert.deepEqual(outcome, { kind: "refused", reason: "it is a snapshot of another cluster" });
    assert.deepEqual(both.shelf.offers, []);
  });

  it("is refused at the chunk that cannot be written, and at the end if something is missing", async () => {
    const both = await pair();
    const { shelf } = both;
    shelf.onWrite = (number) =>
      number === 2 ? Promise.reject(new Error("chunk 2 is damaged")) : Promise.resolve();
    // Much still comes when the answer is given.
    assert.deepEqual(await send(both, madeUp(50, 100_000)).done, {
      kind: "refused",
      reason: "chunk 2 is damaged",
    });
    assert.equal(shelf.open, 0);
    const tried: number[] = [];
    shelf.onWrite = (number) => {
      tried.push(number);
      return number === 3 ? Promise.reject(new Error("chunk 3 is damaged")) : Promise.resolve();
    };
    // All of it comes at once.
    const outcome = await send(both, madeUp(9, 10)).done;
    assert.deepEqual(outcome, { kind: "refused", reason: "chunk 3 is damaged" });
    assert.deepEqual(
      tried,
      [2, 3],
      "the first is there since before, and none is taken behind the damaged one",
    );
    shelf.onWrite = () => Promise.resolve();
    shelf.onFinish = () => Promise.reject(new Error("a chunk is missing"));
    assert.deepEqual(await send(both, madeUp(3)).done, { kind: "refused", reason: "a chunk is missing" });
    assert.equal(shelf.open, 0);
    assert.deepEqual(shelf.completions.items, []);
  });
});

describe("a transfer", () => {
  it("is given up when nothing more arrives: nobody answers, or the disk has stopped", async () => {
    const patience = { snapshotPatienceMs: 300 };
    const all = await addresses(2);
    const alone = await started(all, 0, { tls, ...patience });
    const nobody = await alone.transport.sendSnapshot(all[1]?.id ?? assert.fail(), madeUp(1), term(1)).done;
    assert.ok(nobody.kind === "gaveUp" && /ECONNREFUSED|nothing more arrives/.test(nobody.reason));
    const both = await pair(patience);
    both.shelf.onWrite = () => never;
    const stuck = await send(both, madeUp(3)).done;
    assert.deepEqual(stuck, { kind: "gaveUp", reason: "nothing more arrives" });
    // Nor does it keep the member from stopping.
    await both.b.transport.close();
  });

  it("is not given up while we read up to where the peer is, nor while the peer reads what it has", async () => {
    const timing = { pingMs: 10, silenceMs: 5_000, backoff: { firstMs: 5, maxMs: 20 } };
    const both = await pair({ snapshotPatienceMs: 700, timing });
    const longerThanPatience = async () => {
      for (const value of range(20)) {
        await exchange(both.a, both.b, value);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    both.shelf.onFinish = longerThanPatience;
    const snapshot = madeUp(3);
    const slow: Snapshot = {
      header,
      async *chunks(skip) {
        await longerThanPatience();
        return yield* snapshot.chunks(skip);
      },
    };
    assert.deepEqual(await send(both, slow).done, complete);
    assert.equal(both.shelf.offers.length, 1);
  });

  it("is given up when our state is closed, or damaged, and to somebody who is no member", async () => {
    const both = await pair();
    const failing = (error: Error): Snapshot => ({
      header,
      async *chunks() {
        yield* madeUp(2).chunks(0);
        throw error;
      },
    });
    const closed = await send(both, failing(new DkvError("stopping", "the state is gone"))).done;
    assert.deepEqual(closed, { kind: "gaveUp", reason: "the state is gone" });
    const error = new Error("the disk is broken");
    assert.deepEqual(await send(both, failing(error)).done, { kind: "unreadable", error });
    const stranger = both.a.transport.sendSnapshot(both.a.address.id, madeUp(1), term(1));
    assert.deepEqual(await stranger.done, { kind: "gaveUp", reason: "it is no member of the cluster" });
  });

  it("ends at once when it is cancelled, when its member is removed, and when ours stops", async () => {
    for (const end of [
      (_both: Pair, cancel: () => void) => cancel(),
      ({ a, b }: Pair) => a.transport.setPeers([], new Set([b.address.id])),
      ({ a }: Pair) => void a.transport.close(),
    ]) {
      const both = await pair();
      const gate = Promise.withResolvers<void>();
      both.shelf.onWrite = (number) => (number === 2 ? gate.promise : Promise.resolve());
      const snapshot = madeUp(200, 256 * 1024);
      const transfer = send(both, snapshot);
      await both.shelf.written.find(() => true);
      end(both, () => {
        transfer.cancel();
      });
      assert.deepEqual(await transfer.done, { kind: "cancelled" });
      assert.equal(snapshot.readers(), 0);
      gate.resolve();
      // What was being written is closed before the member has stopped.
      await both.b.transport.close();
      assert.equal(both.shelf.open, 0);
    }
  });

  it("to the same member ends the one before, which is closed before the next is begun", async () => {
    const both = await pair();
    const { shelf } = both;
    const gate = Promise.withResolvers<void>();
    shelf.onWrite = (number) => (number === 2 ? gate.promise : Promise.resolve());
    const older = send(both, madeUp(200, 256 * 1024));
    await shelf.written.find(() => true);
    const newer = send(both, madeUp(4, 1000, { snapshotId: 6n }));
    assert.deepEqual(await older.done, { kind: "cancelled" });
    await exchange(both.a, both.b, 1);
    gate.resolve();
    assert.deepEqual(await newer.done, complete);
    assert.deepEqual(shelf.completions.items, [6n]);
    assert.equal(shelf.mostOpen, 1);
  });

  it("is tried again with a member that only says that it lives", async () => {
    const all = await addresses(2);
    const dials = new Record<Stranger>();
    await impostor(all[1] ?? assert.fail(), here, (stranger) => {
      dials.add(stranger);
      stranger.socket.write(encodeHelloReply(replyOf()));
    });
    const timing = { pingMs: 20, silenceMs: 100, backoff: { firstMs: 5, maxMs: 20 } };
    const a = await started(all, 0, { tls, timing });
    const transfer = a.transport.sendSnapshot(all[1]?.id ?? assert.fail(), madeUp(1), term(1));
    const broke = await a.log.find(({ msg }) => msg === "a snapshot broke off");
    assert.equal(broke.reason, "no answer for 100 ms");
    await a.log.find(({ msg }) => msg === "a snapshot broke off", a.log.items.indexOf(broke) + 1);
    transfer.cancel();
    assert.deepEqual(await transfer.done, { kind: "cancelled" });
  });
});

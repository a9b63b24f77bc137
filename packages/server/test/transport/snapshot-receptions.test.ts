/** What a member makes of snapshots that come in at once, and of stopping meanwhile. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import { addresses, authority, issue, type Member, member, start, started, tlsFiles } from "./fixture.ts";
import { madeUp, pair, send, Shelf } from "./snapshots.ts";

const tls = tlsFiles(authority, await issue(["localhost"]));
const complete = { kind: "complete" };

describe("a member that stops", () => {
  it("does not wait until it has checked a snapshot that has arrived", async () => {
    const both = await pair();
    const { shelf } = both;
    const checking = Promise.withResolvers<void>();
    const finishing = Promise.withResolvers<void>();
    shelf.onFinish = () => {
      finishing.resolve();
      return checking.promise;
    };
    shelf.onClose = () => {
      checking.reject(new Error("it was closed while it was checked"));
    };
    const transfer = send(both, madeUp(3));
    await finishing.promise;
    await both.b.transport.close();
    await assert.rejects(checking.promise, /closed while it was checked/);
    assert.deepEqual(shelf.completions.items, []);
    transfer.cancel();
    await transfer.done;
  });
});

describe("a member that gets snapshots from two others", () => {
  async function three() {
    const all = await addresses(3);
    const shelf = new Shelf();
    const gate = Promise.withResolvers<void>();
    const writing = Promise.withResolvers<void>();
    shelf.onWrite = (number) => {
      if (number !== 2) return Promise.resolve();
      writing.resolve();
      return gate.promise;
    };
    const [a, b, c] = [
      await started(all, 0, { tls }),
      await started(all, 1, { tls }),
      member(all, 2, { tls }),
    ];
    await start(c, shelf.events());
    const from = (one: Member, ofTerm: number, snapshotId: bigint) =>
      one.transport.sendSnapshot(c.address.id, madeUp(4, 1000, { snapshotId }), term(ofTerm)).done;
    return { a, b, shelf, gate, isWriting: writing.promise, from };
  }

  it("takes the one of the later term, and ends the other one", async () => {
    const { a, b, shelf, gate, isWriting, from } = await three();
    const older = from(a, 3, 30n);
    await isWriting;
    const newer = from(b, 4, 40n);
    assert.deepEqual(await older, { kind: "refused", reason: "a leader of a later term sends a snapshot" });
    assert.equal(shelf.offers.length, 1, "what was being written is not over");
    gate.resolve();
    assert.deepEqual(await newer, complete);
    assert.equal(shelf.mostOpen, 1);
    assert.deepEqual(shelf.completions.items, [40n]);
    const late = { kind: "refused", reason: "a leader of a later term has sent a snapshot" };
    assert.deepEqual(await from(a, 3, 31n), late);
  });

  it("still takes one of an earlier term than that of an offer which it has refused", async () => {
    const all = await addresses(3);
    const shelf = new Shelf();
    const { onSnapshot, ...rest } = shelf.events();
    const [a, b, c] = [
      await started(all, 0, { tls }),
      await started(all, 1, { tls }),
      member(all, 2, { tls }),
    ];
    await start(c, {
      ...rest,
      onSnapshot: (from, ofTerm, of) =>
        ofTerm > 3
          ? Promise.resolve({ kind: "refuse", reason: "nobody leads in that term" })
          : onSnapshot(from, ofTerm, of),
    });
    const refused = await b.transport.sendSnapshot(c.address.id, madeUp(1), term(2 ** 50)).done;
    assert.deepEqual(refused, { kind: "refused", reason: "nobody leads in that term" });
    assert.deepEqual(await a.transport.sendSnapshot(c.address.id, madeUp(1), term(3)).done, complete);
  });

  it("refuses a second one of the same term", async () => {
    const { a, b, gate, isWriting, from } = await three();
    const first = from(a, 3, 30n);
    await isWriting;
    const reason = "another member is sending a snapshot in this term";
    assert.deepEqual(await from(b, 3, 31n), { kind: "refused", reason });
    gate.resolve();
    assert.deepEqual(await first, complete);
    assert.deepEqual(await from(b, 3, 32n), complete);
  });
});

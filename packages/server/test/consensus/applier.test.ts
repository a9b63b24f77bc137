import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeConfiguration, initialConfiguration, logIndex, nodeId, readContext, term } from "@dkv/raft";
import type { ApplyResult, RangeResult } from "@dkv/store";
import { applying, clear, entriesFrom, list, others, propose, set, turn, us } from "./applying.ts";
import { cluster, read, remove, set as setOf, until } from "./cluster.ts";

describe("entries that need nothing from the disk", () => {
  it("are applied at once, all kinds of them, and nobody is told to go on", (test) => {
    const { applier, store, applied, resumed, configurations, current } = applying(test);
    const configuration = encodeConfiguration(initialConfiguration([nodeId(1n)], new Uint8Array()));
    const [command] = entriesFrom(3, set("a", "1"));
    applier.apply([
      { index: logIndex(1), term: term(1), kind: "empty", data: new Uint8Array() },
      { index: logIndex(2), term: term(1), kind: "configuration", data: configuration },
      command ?? assert.fail(),
    ]);
    applier.apply([]);
    assert.deepEqual([store.appliedIndex, current("a")], [3, "1"]);
    assert.deepEqual([applied.length, configurations(), resumed()], [1, 1, 0]);
    assert.equal(applier.isWaiting, false);
  });

  it("answer whoever proposed them here, and nobody else", async (test) => {
    const { applier, proposals } = applying(test);
    const answer = propose(proposals);
    applier.apply(entriesFrom(1, [set("a", "1"), { proposer: others }]));
    assert.equal(proposals.size, 1);
    applier.apply(entriesFrom(2, [set("b", "1"), { proposer: us }]));
    assert.deepEqual(await answer, { kind: "set", revision: 3, previous: undefined });
  });
});

describe("an entry that needs the disk", () => {
  it("is applied when that has answered; what is behind it waits, and keeps its place", async (test) => {
    const { applier, store, disk, applied, resumed, current, held } = applying(test);
    applier.apply(entriesFrom(1, set("a", "1"), clear, set("a", "2"), set("b", "1")));
    assert.deepEqual([store.appliedIndex, applier.isWaiting, current("a")], [1, true, "1"]);
    await turn();
    assert.equal(store.appliedIndex, 1);
    await disk.latest.letGo();
    assert.deepEqual([store.appliedIndex, applier.isWaiting], [4, false]);
    assert.deepEqual(
      applied.map(({ result }) => [result.kind, result.revision]),
      [
        ["set", 2],
        ["delete", 3],
        ["set", 4],
        ["set", 5],
      ],
    );
    assert.deepEqual([current("a"), resumed(), held()], ["2", 1, 0]);
  });

  it("may stand behind another one, and before what comes later", async (test) => {
    const { applier, store, disk, applied, resumed, held } = applying(test);
    applier.apply(entriesFrom(1, clear, set("a", "1"), clear, clear, set("b", "1")));
    const seen: (readonly number[])[] = [];
    while (applier.isWaiting) {
      await disk.latest.letGo();
      seen.push([store.appliedIndex, disk.asked.length, resumed()]);
    }
    assert.deepEqual(seen, [
      [2, 2, 1],
      [3, 3, 2],
      [5, 3, 3],
    ]);
    applier.apply(entriesFrom(6, set("c", "1")));
    assert.deepEqual([store.appliedIndex, applied.length, held()], [6, 6, 0]);
  });

  it("sees what was applied before it and is not on the disk, nor was when that was asked", async (test) => {
    const { applier, store, disk, applied } = applying(test);
    applier.apply(entriesFrom(1, set("a", "1"), set("b", "1"), clear));
    disk.disk.write(store.takeChanges());
    store.persisted();
    await disk.latest.letGo();
    const deleted = applied.at(-1)?.result ?? assert.fail();
    assert.deepEqual([deleted.kind, deleted.kind === "delete" && deleted.deleted], ["delete", 2]);
  });

  it("reads for whoever proposed it here, and for nobody else", async (test) => {
    const { applier, disk, proposals, applied } = applying(test);
    const answer = propose(proposals);
    applier.apply(entriesFrom(1, set("a", "1"), [list, { proposer: others }], [list, { proposer: us }]));
    assert.equal(disk.asked.length, 1, "what nobody waits for here is not read here");
    await disk.latest.letGo();
    const found = (result: ApplyResult | undefined): number =>
      result?.kind === "txn" ? (result.results[0] as RangeResult).found.length : assert.fail();
    assert.deepEqual([found(applied[1]?.result), found(await answer)], [0, 1]);
  });

  it("keeps readers waiting whose index is not applied", async (test) => {
    const { applier, disk, reads } = applying(test);
    applier.apply(entriesFrom(1, set("a", "1"), clear, set("b", "1")));
    const context = readContext(1n);
    const reader = reads.add(0, 1000);
    reads.begin(context, 0);
    reads.confirmed({ context, index: logIndex(3) }, logIndex(1));
    assert.equal(reads.size, 1);
    await disk.latest.letGo();
    await reader;
  });

  it("passes its term when it is applied, and not before", async (test) => {
    const { applier, disk, proposals } = applying(test);
    void propose(proposals).catch(() => undefined);
    applier.apply(entriesFrom(1, set("a", "1"), [clear, { term: 2 }], [set("a", "2"), { term: 2 }]));
    assert.equal(proposals.hasWaiting, false, "its entry may still be in what waits");
    await disk.latest.letGo();
    assert.equal(proposals.hasWaiting, true);
    proposals.handedOn(proposals.takeWaiting(1000), term(1));
    applier.apply(entriesFrom(4, [set("a", "3"), { term: 2 }]));
    assert.equal(proposals.hasWaiting, false, "each term passes once");
  });

  it("keeps anything else from being handed in", async (test) => {
    const { applier, disk, store } = applying(test);
    applier.apply(entriesFrom(1, clear));
    assert.throws(() => applier.apply(entriesFrom(2, set("a", "1"))), /nothing more is taken/);
    await disk.latest.letGo();
    assert.equal(store.appliedIndex, 1);
  });

  it("ends the member when the disk cannot answer, and nothing is applied any more", async (test) => {
    const { applier, store, disk, failures, resumed, held } = applying(test);
    const broken = new Error("broken");
    applier.apply(entriesFrom(1, clear, set("a", "1")));
    await disk.latest.fail(broken);
    assert.deepEqual(failures, [broken]);
    assert.deepEqual([store.appliedIndex, resumed(), held()], [0, 0, 0]);
  });

  it("ends the member when it cannot be applied", async (test) => {
    const { applier, store, disk, failures, resumed } = applying(test);
    const broken = new Error("broken");
    applier.apply(entriesFrom(1, clear, set("a", "1")));
    test.mock.method(store, "apply", () => {
      throw broken;
    });
    await disk.latest.letGo();
    assert.deepEqual([failures, store.appliedIndex, resumed()], [[broken], 0, 0]);
  });
});

describe("what waits and is abandoned", () => {
  it("is never applied, and what was prepared for it is let go of", async (test) => {
    const { applier, store, disk, failures, resumed, held } = applying(test);
    applier.apply(entriesFrom(1, clear, set("a", "1")));
    applier.abandon();
    assert.equal(applier.isWaiting, false);
    await disk.latest.letGo();
    assert.deepEqual([store.appliedIndex, resumed(), held()], [0, 0, 0]);
    assert.deepEqual(failures, []);
  });

  it("may fail: its disk may be closed", async (test) => {
    const { applier, disk, failures } = applying(test);
    applier.apply(entriesFrom(1, clear));
    applier.abandon();
    await disk.latest.fail(new Error("closed"));
    assert.deepEqual(failures, []);
  });

  it("does not disturb what another member's state is followed by", async (test) => {
    const { applier, store, disk, proposals, applied, held } = applying(test);
    const other = applying(test);
    const answer = propose(proposals);
    answer.catch(() => undefined);
    other.applier.apply(entriesFrom(1, set("a", "1"), set("b", "1"), [set("c", "1"), { term: 3 }]));
    applier.apply(entriesFrom(1, clear, set("a", "1")));
    const before = disk.latest;
    applier.abandon();
    disk.disk.write(other.store.takeChanges());
    store.restored();
    applier.restored(term(3));
    applier.apply(entriesFrom(4, [clear, { term: 3 }], [set("d", "1"), { term: 3 }]));
    assert.equal(applier.isWaiting, true);
    await before.letGo();
    assert.deepEqual([store.appliedIndex, applier.isWaiting, held()], [3, true, 0]);
    await disk.latest.letGo();
    assert.deepEqual([store.appliedIndex, held()], [5, 0]);
    const [deleted] = applied;
    assert.equal(deleted?.result.kind === "delete" && deleted.result.deleted, 3);
    assert.equal(proposals.hasWaiting, false, "that term was passed by the state that was installed");
  });
});

describe("a member whose disk takes its time to answer", () => {
  it("takes what is committed meanwhile afterwards, in order", async (test) => {
    const { leader } = await cluster(test, 1);
    const { replica, node, disk, failures } = await leader();
    await replica.propose(setOf("a", "1"));
    // A leader has looked for leases there.
    const { begun } = disk.scans;
    disk.scans.hang();
    const cleared = replica.propose(remove("a", "z"));
    await until("the disk is asked", () => disk.scans.begun > begun);
    const index = replica.status().appliedIndex;
    const behind = ["b", "c", "d"].map((key) => replica.propose(setOf(key, "1")));
    await until("they are committed", () => node.status().commit >= index + 4);
    await turn();
    assert.deepEqual([replica.status().appliedIndex, failures], [index, []]);
    disk.scans.heal();
    const { revision } = await cleared;
    const later = await Promise.all(behind);
    assert.deepEqual(
      later.map((result) => result.revision - revision),
      [1, 2, 3],
    );
    assert.equal(await read(await leader(), "b"), "1");
    assert.deepEqual(failures, []);
  });

  it("stops without waiting for it", async (test) => {
    const { leader } = await cluster(test, 1);
    const { replica, store, disk, failures } = await leader();
    // A leader has looked for leases there.
    const { begun } = disk.scans;
    disk.scans.hang();
    const cleared = replica.propose(remove("a", "z"));
    cleared.catch(() => undefined);
    await until("the disk is asked", () => disk.scans.begun > begun);
    const { appliedIndex } = replica.status();
    await replica.stop();
    await assert.rejects(cleared);
    disk.scans.heal();
    // Whatever was asked of the disk before has been answered by then.
    for await (const _ of store.leases());
    await turn();
    assert.equal(replica.status().appliedIndex, appliedIndex);
    assert.deepEqual(failures, []);
  });
});

/** What goes wrong with history in stores that are trusted, and does not here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRecord } from "../../src/keyspace/check-record.ts";
import { compact, del, range, removeHistory, set, txn } from "../commands.ts";
import { Disk } from "../disk.ts";
import { Play, removeAll, rowOf } from "../play.ts";

const beginning = { revision: 0, sub: 0 };
const from = (revision: number) => ({ revision, sub: 0 });
const everything = (revision: number) => range("", "\0", { revision: BigInt(revision) });

/** What kinds of records it holds, in their order. */
const kindsOn = (disk: Disk): readonly string[] =>
  disk.content().map((row) => {
    const [key = "", record = ""] = row.split(" ");
    return checkRecord(Buffer.from(key, "hex"), Buffer.from(record, "hex"));
  });

test("a compacted revision is refused inside a transaction, too: nothing is done (etcd 18667)", async () => {
  const play = new Play();
  for (const value of ["1", "2", "3"]) play.now(set("a", value));
  play.now(compact(3));
  const reading = txn({ success: [set("b", "1"), range("a", "", { revision: 2n })] });
  assert.deepEqual(await play.do(reading), { kind: "refused", revision: 4, reason: "compacted" });
  assert.equal(play.value("b"), undefined);
  assert.equal(play.store.revision, 4);
  // Those who have removed the history already, and those who have not, say the same.
  await removeAll(play);
  play.save();
  assert.deepEqual(await play.do(reading), { kind: "refused", revision: 4, reason: "compacted" });
});

test("what a transaction may read does not depend on whether somebody waits for it", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(compact(2));
  for (const revision of [1n, 3n, 4n]) {
    const command = {
      id: { proposer: 1n, sequence: 1 },
      operation: txn({ success: [set("a", "2"), range("a", "", { revision })] }),
    };
    const place = { index: play.store.appliedIndex + 1, term: 1 };
    const { result } = play.store.apply(place, command, { isWanted: false });
    assert.equal(result.kind, "refused", String(revision));
  }
});

test("the compact revision itself can be read, and the one before it cannot", async () => {
  const play = new Play();
  for (const value of ["1", "2", "3"]) play.now(set("a", value));
  play.now(compact(3));
  await removeAll(play);
  play.save();
  assert.deepEqual(await play.found(everything(3)), ["a=2"]);
  assert.equal(await play.found(everything(2)), "compacted");
  assert.deepEqual(await play.found(everything(4)), ["a=3"]);
  assert.equal(await play.found(everything(5)), "futureRevision");
});

test("what is compacted already, or is not there yet, cannot be compacted", () => {
  const play = new Play();
  play.now(set("a", "1"));
  const refused = { kind: "refused", revision: 2, reason: "compacted" };
  assert.deepEqual(play.now(compact(-1)), refused);
  assert.deepEqual(play.now(compact(0)), { kind: "compaction", revision: 2 }, "it gives up nothing, once");
  assert.deepEqual(play.now(compact(0)), refused);
  assert.deepEqual(play.now(compact(3)), { kind: "refused", revision: 2, reason: "futureRevision" });
  assert.deepEqual(play.now(compact(2)), { kind: "compaction", revision: 2 });
  assert.deepEqual(play.now(compact(2)), refused);
});

test("a delete at the very compact revision stays visible to history (etcd 19179, 18089)", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(del("a"));
  play.now(set("b", "1"));
  play.now(compact(3));
  await removeAll(play);
  play.save();
  assert.deepEqual(await play.history(from(3)), ["3.0 a deleted", "4.0 b=1"]);
});

test("deletes before the compact revision go, also one that an earlier compaction has kept", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(del("a"));
  play.now(compact(3));
  await removeAll(play);
  play.now(set("b", "1"));
  play.now(compact(4));
  await removeAll(play);
  play.save();
  assert.deepEqual(await play.history(beginning), ["4.0 b=1"]);
  assert.deepEqual(kindsOn(play.disk), ["position", "change", "index", "compaction", "current"]);
});

test("a delete at the compact revision goes with the next one, if a piece ends there", async () => {
  const play = new Play(new Disk(), { cacheBytes: 0, pieceChanges: 1 });
  play.now(set("a", "1"));
  play.now(del("a"));
  play.now(set("b", "1"));
  play.now(compact(3));
  // One piece for the set, one for the delete; that nothing is left is not known yet.
  await play.do(removeHistory);
  await play.do(removeHistory);
  assert.equal(play.store.compaction.isRemoved, false);
  play.now(compact(4));
  await removeAll(play);
  play.save();
  assert.deepEqual(await play.history(beginning), ["4.0 b=1"]);
});

test("a crash in the middle of removing history loses neither revisions nor keys (etcd 17780)", async () => {
  for (let saved = 0; saved < 8; saved += 1) {
    const play = new Play(new Disk(), { cacheBytes: 0, pieceChanges: 2 });
    for (const value of ["1", "2", "3", "4"]) play.now(set("a", value));
    play.now(del("a"));
    play.now(set("b", "1"));
    const { revision } = play.store;
    play.now(compact(revision));
    play.save();
    for (let pieces = 0; pieces < saved; pieces += 1) await play.do(removeHistory);
    play.save();
    await play.do(removeHistory);
    play.reopen();
    assert.equal(play.store.revision, revision);
    assert.deepEqual(await play.found(everything(revision)), ["b=1"]);
    await removeAll(play);
    play.save();
    play.reopen();
    assert.equal(play.store.revision, revision);
    assert.deepEqual(await play.history(beginning), ["7.0 b=1"]);
  }
});

test("removing takes an entry for each piece, and one that finds nothing left is harmless", async () => {
  const play = new Play(new Disk(), { cacheBytes: 0, pieceChanges: 3 });
  for (let count = 0; count < 7; count += 1) play.now(set("a", String(count)));
  play.now(compact(play.store.revision));
  assert.equal(await removeAll(play), 3);
  play.save();
  const before = play.disk.content().filter((row) => !row.startsWith("10"));
  await play.do(removeHistory);
  play.save();
  assert.deepEqual(
    play.disk.content().filter((row) => !row.startsWith("10")),
    before,
  );
});

test("earlier revisions are read across a delete", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(set("b", "1"));
  play.now(del("a"));
  play.now(set("a", "2"));
  for (const isSaved of [false, true]) {
    if (isSaved) play.save();
    assert.deepEqual(await play.found(everything(1)), []);
    assert.deepEqual(await play.found(everything(2)), ["a=1"]);
    assert.deepEqual(await play.found(everything(3)), ["a=1", "b=1"]);
    assert.deepEqual(await play.found(everything(4)), ["b=1"]);
    assert.deepEqual(await play.found(everything(5)), ["a=2", "b=1"]);
    assert.deepEqual(await play.history(from(3), 4), ["3.0 b=1", "4.0 a deleted"]);
  }
  const [, again] = await bothVersions(play);
  assert.deepEqual([again?.createRevision, again?.version], [5, 1]);
});

async function bothVersions(play: Play) {
  const results = await Promise.all(
    [2n, 5n].map((revision) => play.store.range(range("a", "", { revision }))),
  );
  return results.map((result) => (result.kind === "range" ? result.found[0] : undefined));
}

test("history tells each change once, at every step on its way to the disk", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  const first = play.store.takeChanges();
  play.now(set("b", "1"));
  const second = play.store.takeChanges();
  play.now(del("a"));
  const all = ["2.0 a=1", "3.0 b=1", "4.0 a deleted"];
  const steps = [
    () => undefined,
    () => play.disk.write(first),
    () => play.disk.write(second),
    () => play.store.persisted(),
    () => play.store.persisted(),
    () => play.save(),
  ];
  for (const step of steps) {
    step();
    assert.deepEqual(await play.history(beginning), all);
    assert.deepEqual(await play.history(from(3), 3), ["3.0 b=1"]);
  }
});

test("keys with zero bytes keep their histories apart", async () => {
  const play = new Play();
  const keys = ["a", "a\0", "a\0\0", "a\0\xff", "a\x01", "\0"];
  for (const key of keys) play.now(set(key, "1"));
  for (const key of keys) play.now(set(key, "2"));
  play.now(del("a\0"));
  play.save();
  for (const [at, key] of keys.entries()) {
    const read = (revision: number) => play.found(range(key, "", { revision: BigInt(revision) }));
    assert.deepEqual(await read(at + 1), []);
    assert.deepEqual(await read(at + 2), [`${key}=1`]);
    assert.deepEqual(await read(13), [`${key}=2`]);
  }
  assert.deepEqual(await play.found(range("a", "a\x01", { revision: 7n })), [
    "a=1",
    "a\0=1",
    "a\0\0=1",
    "a\0\xff=1",
  ]);
  assert.deepEqual(await play.found(range("a\0", "a\0\xff", { revision: 7n })), ["a\0=1", "a\0\0=1"]);
  assert.deepEqual(await play.found(range("a", "b", { revision: 14n })), [
    "a=2",
    "a\0\0=2",
    "a\0\xff=2",
    "a\x01=2",
  ]);
});

/** Begins reads that wait on the disk while something else happens. */
async function meanwhile<Answer>(
  play: Play,
  begin: () => Answer,
  happens: () => Promise<void>,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<void>();
  play.disk.gate = promise;
  const begun = begin();
  play.disk.gate = undefined;
  await happens();
  resolve();
  return begun;
}

test("a range that is under way while its revision is given up says so, or is read anew", async () => {
  const play = new Play();
  for (const value of ["1", "2"]) for (const key of ["a", "b", "c"]) play.now(set(key, value));
  play.save();
  const read = () => ({ past: play.found(everything(4)), current: play.found(range("", "\0")) });
  const { past, current } = await meanwhile(play, read, async () => {
    play.now(set("c", "3"));
    play.now(compact(8));
    await removeAll(play);
    play.save();
  });
  assert.equal(await past, "compacted");
  assert.deepEqual(await current, ["a=2", "b=2", "c=3"]);
});

test("a range that is under way sees nothing of what is done meanwhile", async () => {
  const play = new Play();
  for (const key of ["a", "b", "c"]) play.now(set(key, "1"));
  play.save();
  play.now(set("d", "1"));
  const read = () => ({ past: play.found(everything(4)), current: play.found(range("", "\0")) });
  const { past, current } = await meanwhile(play, read, async () => {
    play.now(set("a", "2"));
    await play.do(del("b", "d"));
    play.save();
    play.now(set("e", "1"));
  });
  assert.deepEqual(await past, ["a=1", "b=1", "c=1"]);
  assert.deepEqual(await current, ["a=1", "b=1", "c=1", "d=1"]);
});

test("what was replaced is not missed where it is removed during a range of the past", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.save();
  play.now(set("a", "2"));
  play.now(set("b", "1"));
  play.now(compact(3));
  await removeAll(play);
  // The disk has the first version still when it is scanned; when the version is read, it is gone.
  const past = await meanwhile(
    play,
    () => ({ found: play.found(everything(3)) }),
    async () => {
      play.save();
    },
  );
  assert.deepEqual(await past.found, ["a=2"]);
});

test("nor where a transaction is prepared meanwhile", async () => {
  const [past, now] = [everything(3), range("", "\0")];
  // The first of them is the one that waits for the disk.
  for (const success of [
    [past, now],
    [now, past],
  ]) {
    const play = new Play();
    play.now(set("a", "1"));
    play.save();
    play.now(set("a", "2"));
    play.now(set("b", "1"));
    play.now(compact(3));
    await removeAll(play);
    const begun = await meanwhile(
      play,
      () => ({ result: play.do(txn({ success })) }),
      async () => {
        play.save();
      },
    );
    const result = await begun.result;
    assert.ok(result.kind === "txn");
    const found = result.results.map((one) => (one.kind === "range" ? one.found.map(rowOf) : []));
    const expected = new Map([
      [past, ["a=2"]],
      [now, ["a=2", "b=1"]],
    ]);
    assert.deepEqual(
      found,
      success.map((operation) => expected.get(operation)),
    );
  }
});

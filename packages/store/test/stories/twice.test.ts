/** Transactions that change a key more than once: all of it is one revision. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../../src/version.ts";
import { compact, del, range, set, txn } from "../commands.ts";
import { Disk } from "../disk.ts";
import { Play, removeAll, rowOf } from "../play.ts";

const from = (revision: number) => ({ revision, sub: 0 });
const atRevision = (revision: number) => range("", "\0", { revision: BigInt(revision) });

async function changesFrom(play: Play, revision: number): Promise<readonly Change[]> {
  const all: Change[] = [];
  for await (const batch of play.store.history(from(revision), play.store.revision)) all.push(...batch);
  return all;
}

/** Revision 2 sets "old", revision 3 does this. */
async function playing(
  isSaved: boolean,
  ...success: Parameters<typeof txn>[0]["success"] & object
): Promise<Play> {
  const play = new Play(new Disk({ batchRecords: 1, turns: 1 }), { cacheBytes: 0 });
  play.now(set("old", "0"));
  if (isSaved) play.save();
  await play.do(txn({ success }));
  if (isSaved) play.save();
  return play;
}

for (const isSaved of [false, true]) {
  const where = isSaved ? "from the disk" : "in front of it";

  test(`the last change of a key is what there is of it, ${where}`, async () => {
    const play = await playing(isSaved, del("old"), set("old", "1"), set("new", "1"), del("new"));
    assert.deepEqual(await play.found(range("", "\0")), ["old=1"]);
    assert.deepEqual(await play.found(atRevision(3)), ["old=1"]);
    assert.deepEqual(await play.found(atRevision(2)), ["old=0"]);
    const found = play.store.get(Buffer.from("old"));
    assert.deepEqual([found?.createRevision, found?.modRevision, found?.version], [3, 3, 1]);
    await play.do(txn({ success: [set("old", "2"), del("old")] }));
    assert.deepEqual(await play.found(range("", "\0")), []);
    assert.deepEqual(await play.found(atRevision(3)), ["old=1"]);
  });

  test(`each change is told of, with what the key was before the revision, ${where}`, async () => {
    const play = await playing(
      isSaved,
      set("old", "1"),
      del("old"),
      set("old", "2"),
      del("old"),
      set("new", "1"),
      del("new"),
    );
    assert.deepEqual(await play.history(from(3)), [
      "3.0 old=1",
      "3.1 old deleted",
      "3.2 old=2",
      "3.3 old deleted",
      "3.4 new=1",
      "3.5 new deleted",
    ]);
    const previous = await play.store.previous(await changesFrom(play, 3));
    assert.deepEqual(
      previous.map((one) => one && rowOf(one)),
      // What creates a key has none, though there was one before the revision.
      ["old=0", "old=0", undefined, "old=0", undefined, undefined],
    );
  });

  test(`a delete that is followed by a set does not take its index along, ${where}`, async () => {
    const play = await playing(isSaved, del("old"), set("old", "1"));
    const save = (): void => {
      if (isSaved) play.save();
    };
    await play.do(set("old", "2"));
    await play.do(compact(3));
    await removeAll(play);
    save();
    assert.deepEqual(await play.history(from(3)), ["3.0 old deleted", "3.1 old=1", "4.0 old=2"]);
    await play.do(set("other", ""));
    await play.do(compact(4));
    await removeAll(play);
    play.save();
    assert.deepEqual(await play.history(from(0)), ["4.0 old=2", "5.0 other="]);
  });

  test(`what passed is removed with the rest, and what stays can be read, ${where}`, async () => {
    const play = await playing(isSaved, del("old"), set("old", "1"), set("new", "1"), del("new"));
    const save = (): void => {
      if (isSaved) play.save();
    };
    await play.do(set("other", ""));
    await play.do(set("later", ""));
    for (const revision of [3, 4]) {
      await play.do(compact(revision));
      await removeAll(play);
      save();
      assert.deepEqual(
        await play.found(atRevision(revision)),
        revision === 3 ? ["old=1"] : ["old=1", "other="],
      );
    }
    play.save();
    assert.deepEqual(await play.history(from(0)), ["3.1 old=1", "4.0 other=", "5.0 later="]);
  });
}

test("a set that keeps something after a delete of its key finds nothing to keep", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  const result = await play.do(txn({ success: [del("a"), set("a", "", { keepValue: true })] }));
  assert.deepEqual(result, { kind: "refused", revision: 2, reason: "keyNotFound" });
  assert.equal(play.value("a"), "1");
});

test("in a transaction a key that is to be kept is looked for before the lease, and alone behind it", async () => {
  const play = new Play();
  const both = set("a", "", { keepValue: true, lease: 9n });
  assert.deepEqual(play.now(both), { kind: "refused", revision: 1, reason: "leaseNotFound" });
  assert.deepEqual(await play.do(txn({ success: [both] })), {
    kind: "refused",
    revision: 1,
    reason: "keyNotFound",
  });
});

/** The pieces in which history is removed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changeKey } from "../../src/keyspace/change-record.ts";
import { DamagedRecordError } from "../../src/keyspace/record.ts";
import { compact, del, removeHistory, set, txn } from "../commands.ts";
import { Disk, turn } from "../disk.ts";
import { Play, removeAll } from "../play.ts";

test("usually a piece has five hundred changes", async () => {
  const play = new Play();
  const many = Array.from({ length: 1500 }, (_, at) => set(`key ${String(at)}`, ""));
  await play.do(txn({ success: many }));
  await play.do(del("", "\0"));
  play.now(compact(3));
  await play.do(removeHistory);
  assert.deepEqual(play.store.compaction, {
    revision: 3,
    isRemoved: false,
    next: { revision: 2, sub: 500 },
  });
  assert.equal(await removeAll(play), 6);
});

test("a piece of large values has fewer, wherever these are", async () => {
  const ends: unknown[] = [];
  // Nothing saved, some of it, all.
  for (const savedAt of [-1, 2, 4]) {
    const play = new Play();
    for (let at = 0; at < 5; at += 1) {
      play.now(set("a", "x".repeat(400_000)));
      if (at === savedAt) play.save();
    }
    play.now(compact(6));
    await play.do(removeHistory);
    ends.push(play.store.compaction.next);
    assert.equal(await removeAll(play), 1);
  }
  assert.deepEqual(ends, Array(3).fill({ revision: 4, sub: 1 }));
});

/** Of seven changes that are given up the first three are removed. `stuck`: no scan that begins later ends. */
async function removing(): Promise<{ readonly play: Play; readonly stuck: () => void }> {
  const play = new Play(new Disk(), { cacheBytes: 0, pieceChanges: 3 });
  for (let count = 0; count < 9; count += 1) play.now(set("a", String(count)));
  play.save();
  play.now(compact(8));
  await play.do(removeHistory);
  const stuck = (): void => {
    play.disk.gate = new Promise(() => undefined);
  };
  return { play, stuck };
}

test("while one piece is removed the next one is read", async () => {
  const { play, stuck } = await removing();
  stuck();
  await play.do(removeHistory);
  assert.deepEqual(play.store.compaction.next, { revision: 7, sub: 1 });
  // The third has been asked of a disk that is stuck.
  let isThere = false;
  void play.do(removeHistory).then(() => (isThere = true));
  for (let turns = 0; turns < 20; turns += 1) await turn();
  assert.equal(isThere, false);
});

test("what was read for an earlier compaction is not taken for a later one", async () => {
  const { play } = await removing();
  play.now(compact(10));
  await removeAll(play);
  play.save();
  assert.deepEqual(await play.history({ revision: 0, sub: 0 }), ["10.0 a=8"]);
});

test("what cannot be read early is an error once it is needed", async () => {
  const play = new Play(new Disk(), { cacheBytes: 0, pieceChanges: 3 });
  for (let count = 0; count < 9; count += 1) play.now(set("a", String(count)));
  play.save();
  play.now(compact(8));
  play.disk.damage(changeKey({ revision: 6, sub: 0 }), (record) => record.fill(0, 9, 10));
  await play.do(removeHistory);
  await assert.rejects(play.do(removeHistory), DamagedRecordError);
});

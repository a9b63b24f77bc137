/** What ranges promise, beside transactions and inside of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import type { RangeOperation } from "../../src/operation.ts";
import type { RangeResult } from "../../src/results.ts";
import { compact, del, range, type RangeFlags, removeHistory, set, txn } from "../commands.ts";
import { Disk } from "../disk.ts";
import { Play, rowOf } from "../play.ts";

/** a=3 (of revisions 2 and 7), b=2 (3), c=1 (4), on the disk or in front of it; "gone" was there. */
async function filled(isSaved: boolean): Promise<Play> {
  const play = new Play(new Disk({ batchRecords: 1, turns: 0 }));
  for (const [key, value] of Object.entries({ a: "0", b: "2", c: "1", gone: "1" })) play.now(set(key, value));
  if (isSaved) play.save();
  await play.do(del("d", "z"));
  play.now(set("a", "3"));
  if (isSaved) play.save();
  return play;
}

/** The same answer, however it is asked for. */
async function answer(operation: RangeOperation): Promise<RangeResult> {
  const answers: RangeResult[] = [];
  for (const isSaved of [false, true]) {
    const play = await filled(isSaved);
    const beside = await play.store.range(operation);
    const within = await play.do(txn({ success: [operation] }));
    assert.ok(beside.kind === "range" && within.kind === "txn");
    assert.deepEqual(within.results, [beside]);
    answers.push(beside);
  }
  const [first = assert.fail(), second] = answers;
  assert.deepEqual(second, first);
  return first;
}

const rows = async (flags: RangeFlags): Promise<readonly string[]> =>
  (await answer(range("", "\0", flags))).found.map(rowOf);

test("a limit cuts the answer off, says so, and does not change the count", async () => {
  for (const [limit, hasMore] of [
    [1n, true],
    [2n, true],
    [3n, false],
    [4n, false],
    [0n, false],
  ] as const) {
    const result = await answer(range("", "\0", { limit }));
    const expected = ["a=3", "b=2", "c=1"].slice(0, Number(limit || 3n));
    assert.deepEqual([result.found.map(rowOf), result.hasMore, result.count], [expected, hasMore, 3]);
  }
});

test("both bounds of revisions are within, and the count is that of the interval", async () => {
  assert.deepEqual(await rows({ minModRevision: 4n }), ["a=3", "c=1"]);
  assert.deepEqual(await rows({ minModRevision: 3n, maxModRevision: 4n }), ["b=2", "c=1"]);
  assert.deepEqual(await rows({ maxCreateRevision: 3n }), ["a=3", "b=2"]);
  assert.deepEqual(await rows({ minCreateRevision: 3n, maxCreateRevision: 3n }), ["b=2"]);
  assert.equal((await answer(range("", "\0", { minModRevision: 100n }))).count, 3);
});

test("a limit behind bounds cuts what is left by them", async () => {
  const result = await answer(range("", "\0", { minModRevision: 4n, limit: 1n }));
  assert.deepEqual([result.found.map(rowOf), result.hasMore], [["a=3"], true]);
  assert.equal((await answer(range("", "\0", { minModRevision: 4n, limit: 2n }))).hasMore, false);
});

test("keys come in the order that is asked for", async () => {
  const { ASCENDING, DESCENDING } = RangeOrder;
  const { VALUE, MOD_REVISION, CREATE_REVISION, VERSION } = RangeTarget;
  assert.deepEqual(await rows({ order: DESCENDING }), ["c=1", "b=2", "a=3"]);
  assert.deepEqual(await rows({ order: ASCENDING, target: VALUE }), ["c=1", "b=2", "a=3"]);
  assert.deepEqual(await rows({ order: DESCENDING, target: VALUE }), ["a=3", "b=2", "c=1"]);
  assert.deepEqual(await rows({ order: ASCENDING, target: MOD_REVISION }), ["b=2", "c=1", "a=3"]);
  assert.deepEqual(await rows({ order: DESCENDING, target: CREATE_REVISION }), ["c=1", "b=2", "a=3"]);
  assert.deepEqual(await rows({ order: DESCENDING, target: VERSION }), ["a=3", "b=2", "c=1"]);
  assert.deepEqual(await rows({ order: DESCENDING, limit: 1n }), ["c=1"]);
});

/** Reads all keys while a state of the same log, which is further, takes the place of the one that is read. */
async function readWhileReplaced(
  next: (play: Play) => void | Promise<void>,
  scan: "ends" | "fails",
): Promise<readonly [keys: readonly string[], revision: number]> {
  const [play, sender] = [new Play(), new Play()];
  for (const one of [play, sender]) {
    one.now(set("a", "1"));
    one.now(set("b", "1"));
    one.save();
  }
  await next(sender);
  sender.save();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  play.disk.gate = promise;
  const reading = play.store.range(range("", "\0"));
  play.disk.gate = undefined;
  play.disk.replaceWith(sender.disk);
  play.store.restored();
  if (scan === "ends") resolve();
  else reject(new Error("what is scanned was replaced"));
  const result = await reading;
  assert.ok(result.kind === "range");
  return [result.found.map(rowOf), result.revision];
}

test("a range is of one moment, also if another state takes the place of the one that is read", async () => {
  const changed = (play: Play): void => {
    play.now(set("a", "2"));
    play.now(del("b"));
    play.now(set("c", "1"));
  };
  assert.deepEqual(await readWhileReplaced(changed, "ends"), [["a=1", "b=1"], 3]);
  assert.deepEqual(await readWhileReplaced(changed, "fails"), [["a=2", "c=1"], 6]);
  const givenUp = async (play: Play): Promise<void> => {
    changed(play);
    play.now(compact(6));
    play.save();
    await play.do(removeHistory);
  };
  assert.deepEqual(await readWhileReplaced(givenUp, "ends"), [["a=2", "c=1"], 6]);
});

test("a range that the disk fails to read is not tried again", async () => {
  const play = await filled(true);
  play.disk.gate = Promise.reject(new Error("the disk is broken"));
  await assert.rejects(play.store.range(range("", "\0")), /broken/);
});

test("keys without values, and a count without keys", async () => {
  assert.deepEqual(await rows({ keysOnly: true }), ["a=", "b=", "c="]);
  const sorted = { keysOnly: true, order: RangeOrder.ASCENDING, target: RangeTarget.VALUE };
  assert.deepEqual(await rows(sorted), ["c=", "b=", "a="]);
  const { found, count } = await answer(range("", "\0", { countOnly: true }));
  assert.deepEqual([found, count], [[], 3]);
});

test("an interval ends before its end, and is empty if that is no later than its beginning", async () => {
  const keys = async (key: string, end: string, revision = 0n) =>
    (await answer(range(key, end, { revision }))).found.map(rowOf);
  for (const revision of [0n, 7n]) {
    assert.deepEqual(await keys("a", "c", revision), ["a=3", "b=2"]);
    assert.deepEqual(await keys("b", "\0", revision), ["b=2", "c=1"]);
    assert.deepEqual(await keys("b", "", revision), ["b=2"]);
    assert.deepEqual(await keys("b", "b", revision), []);
    assert.deepEqual(await keys("c", "a", revision), []);
  }
  assert.deepEqual(await keys("", "\0", 5n), ["a=0", "b=2", "c=1", "gone=1"]);
});

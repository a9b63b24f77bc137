/** What transactions promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CompareRelation } from "@dkv/protocol/dkv/peer/v1/command";
import type { RangeOperation } from "../../src/operation.ts";
import type { OperationResult } from "../../src/results.ts";
import { type Branches, command, compare, del, range, set, setIf, type Target, txn } from "../commands.ts";
import { Disk } from "../disk.ts";
import { changeName, Play, rowOf } from "../play.ts";

const { UNSPECIFIED: equal, GREATER: greater, LESS: less, NOT_EQUAL: notEqual } = CompareRelation;
const relations = [equal, greater, less, notEqual];

async function resultsOf(play: Play, branches: Branches): Promise<readonly OperationResult[]> {
  const result = await play.do(txn(branches));
  assert.ok(result.kind === "txn", `the transaction is a ${result.kind}`);
  return result.results;
}

const rowsOf = (result: OperationResult | undefined): readonly string[] | undefined =>
  result?.kind === "range" ? result.found.map(rowOf) : undefined;

/** Which of the relations hold between what there is and what is given. */
async function holding(
  play: Play,
  key: string,
  target: Target,
  rangeEnd = "",
): Promise<readonly CompareRelation[]> {
  const held: CompareRelation[] = [];
  for (const relation of relations) {
    const result = await play.do(txn({ compares: [compare(key, relation, target, rangeEnd)] }));
    if (result.kind === "txn" && result.succeeded) held.push(relation);
  }
  return held;
}

test("a missing key has no value that anything could be compared with, and 0 for all the rest", async () => {
  const play = new Play();
  for (const end of ["", "b"]) {
    for (const value of ["", "1"])
      assert.deepEqual(await holding(play, "a", { case: "value", value }, end), []);
    for (const name of ["version", "createRevision", "modRevision", "lease"] as const) {
      assert.deepEqual(await holding(play, "a", { case: name, value: 0n }, end), [equal]);
      assert.deepEqual(await holding(play, "a", { case: name, value: 1n }, end), [less, notEqual]);
      assert.deepEqual(await holding(play, "a", { case: name, value: -1n }, end), [greater, notEqual]);
    }
  }
});

test("a comparison of an interval holds if it does for each key that is there", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.now(set("b", "2"));
  play.now(set("z", "9"));
  for (const isSaved of [false, true]) {
    if (isSaved) play.save();
    const value = (text: string) => ({ case: "value", value: text }) as const;
    assert.deepEqual(await holding(play, "a", value("1"), "c"), []);
    assert.deepEqual(await holding(play, "a", value("0"), "c"), [greater, notEqual]);
    assert.deepEqual(await holding(play, "a", value("3"), "c"), [less, notEqual]);
    assert.deepEqual(await holding(play, "a", value("3"), "\0"), [notEqual]);
    assert.deepEqual(await holding(play, "a", { case: "version", value: 1n }, "\0"), [equal]);
  }
});

test("comparisons inside see the state before the whole transaction", async () => {
  const play = new Play();
  play.now(set("a", "before"));
  const isStill = compare("a", equal, { case: "value", value: "before" });
  const nested = txn({ compares: [isStill], success: [set("b", "yes")], failure: [set("b", "no")] });
  await resultsOf(play, { success: [set("a", "after"), nested] });
  assert.deepEqual([play.value("a"), play.value("b")], ["after", "yes"]);
});

test("ranges inside see what was done before them, and not what comes after", async () => {
  const play = new Play();
  play.now(set("b", "1"));
  for (const isSaved of [false, true]) {
    if (isSaved) play.save();
    const all: RangeOperation = range("a", "z");
    const results = await resultsOf(play, {
      success: [all, set("a", "1"), all, del("b", "z"), all, range("a"), txn({ success: [all] })],
    });
    assert.deepEqual(rowsOf(results[0]), ["b=1"]);
    assert.deepEqual(rowsOf(results[2]), ["a=1", "b=1"]);
    assert.deepEqual(rowsOf(results[4]), ["a=1"]);
    assert.deepEqual(rowsOf(results[5]), ["a=1"]);
    const [, , , , , , inner] = results;
    assert.deepEqual(rowsOf(inner?.kind === "txn" ? inner.results[0] : undefined), ["a=1"]);
    play.now(del("a"));
    play.now(set("b", "1"));
  }
});

test("ranges of the past do not see the transaction, nor do they see what it is called", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  const now = range("a", "z", { revision: 2n });
  const next = range("a", "z", { revision: 3n });
  const [, found] = await resultsOf(play, { success: [set("a", "2"), now] });
  assert.deepEqual(rowsOf(found), ["a=1"]);
  play.now(set("a", "3"));
  assert.deepEqual(await play.do(txn({ success: [set("b", "1"), range("a", "", { revision: 5n })] })), {
    kind: "refused",
    revision: 4,
    reason: "futureRevision",
  });
  const [past] = await resultsOf(play, { success: [next] });
  assert.deepEqual(rowsOf(past), ["a=2"]);
});

test("a revision below 1 means now; inside of transactions one below -1 is given up, as etcd has it", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  play.save();
  for (const revision of [0n, -1n, -2n, -(2n ** 63n)]) {
    const success = [range("a", "", { revision }), range("a", "z", { revision })];
    assert.deepEqual(await play.found(range("a", "z", { revision })), ["a=1"]);
    if (revision >= -1n) {
      assert.deepEqual((await resultsOf(play, { success })).map(rowsOf), [["a=1"], ["a=1"]]);
    } else {
      const { result } = await play.applied(txn({ success }));
      assert.deepEqual(result, { kind: "refused", revision: 2, reason: "compacted" });
    }
  }
});

test("all changes of a transaction have one revision, and are counted in their order", async () => {
  const play = new Play();
  play.now(set("gone", "1"));
  const nested = txn({ success: [set("b", "1"), del("gone")] });
  const { result, changes } = await play.applied(txn({ success: [set("c", "1"), nested, set("a", "1")] }));
  assert.equal(result.revision, 3);
  assert.deepEqual(changes.map(changeName), ["3.0 c=1", "3.1 b=1", "3.2 gone deleted", "3.3 a=1"]);
  play.save();
  assert.deepEqual(await play.history({ revision: 3, sub: 1 }), ["3.1 b=1", "3.2 gone deleted", "3.3 a=1"]);
});

test("a transaction that changes nothing makes no revision", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  const results = await resultsOf(play, { success: [del("nothing"), del("x", "y"), range("a")] });
  assert.deepEqual(
    results.map(({ revision }) => revision),
    [2, 2, 2],
  );
  assert.equal(play.store.revision, 2);
});

test("results say the revision that was current when they came about", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  const results = await resultsOf(play, {
    success: [range("a"), del("nothing"), set("b", "1"), range("a"), txn({})],
  });
  assert.deepEqual(
    results.map(({ revision }) => revision),
    [2, 2, 3, 3, 3],
  );
});

test("a key is deleted once, whoever else deletes it", async () => {
  const play = new Play();
  play.now(set("a", "1"));
  const [first, second] = await resultsOf(play, { success: [del("a"), del("a", "z")] });
  assert.deepEqual(
    [first?.kind === "delete" && first.deleted, second?.kind === "delete" && second.deleted],
    [1, 0],
  );
});

test("a refusal in the middle leaves no change, no lease and no attachment", async () => {
  const play = new Play();
  const granting = set("a", "1", { lease: 5n, grantTtl: 9n });
  const result = await play.do(txn({ success: [granting, set("b", "1", { keepValue: true })] }));
  assert.deepEqual(result, { kind: "refused", revision: 1, reason: "keyNotFound" });
  assert.equal(play.store.lease(5n), undefined);
  play.save();
  assert.deepEqual([...play.disk.records.keys()], ["10"]);
});

test("a set of a key that has to be as it was, or missing, is refused when it is not so", async () => {
  for (const isSaved of [false, true]) {
    const play = new Play();
    const sets = async (modRevision: bigint): Promise<string> => {
      if (isSaved) play.save();
      const result = await play.do(setIf(["a", "1"], modRevision));
      return `${result.kind === "refused" ? result.reason : result.kind} ${String(result.revision)}`;
    };
    assert.equal(await sets(1n), "keyMissing 1");
    assert.equal(await sets(0n), "set 2");
    assert.equal(await sets(0n), "keyChanged 2");
    assert.equal(await sets(1n), "keyChanged 2");
    assert.equal(await sets(-1n), "keyChanged 2");
    assert.equal(await sets(2n), "set 3");
    play.now(del("a"));
    assert.equal(await sets(3n), "keyMissing 4");
    assert.equal(await sets(0n), "set 5");
    assert.deepEqual(await play.found(range("", "\0")), ["a=1"]);
  }
});

test("an order cuts before or after it sorts as etcd does", async () => {
  const play = new Play();
  for (const [at, key] of ["a", "b", "c", "d"].entries()) play.now(set(key, String(4 - at)));
  const target = 4;
  const limited = { target, limit: 2n } as const;
  for (const isSaved of [false, true]) {
    if (isSaved) play.save();
    const cut = range("a", "z", limited);
    const sorted = range("a", "z", { ...limited, order: 1 });
    const bounded = range("a", "z", { ...limited, minModRevision: 1n });
    const expected = [
      ["c=2", "b=3"],
      ["d=1", "c=2"],
      ["d=1", "c=2"],
    ];
    for (const [at, operation] of [cut, sorted, bounded].entries()) {
      assert.deepEqual(await play.found(operation), expected[at]);
      const [inside] = await resultsOf(play, { success: [operation] });
      assert.deepEqual(rowsOf(inside), expected[at]);
    }
  }
});

/** Fifty keys, k00 to k49, on the disk, and one that was set since; nothing is cached. */
function manyKeys(): Play {
  const play = new Play(new Disk({ batchRecords: 7, turns: 1 }), { cacheBytes: 0 });
  for (let at = 0; at < 50; at += 1) play.now(set(`k${String(at).padStart(2, "0")}`, String(at)));
  play.save();
  play.now(set("k07", "later"));
  return play;
}

test("what is done to an interval was read before: applying asks the disk for nothing", async () => {
  const play = manyKeys();
  const isAbove = compare("k", greater, { case: "value", value: "" }, "l");
  for (const operation of [
    txn({ compares: [isAbove], success: [range("k", "l")] }),
    txn({ success: [range("k", "l"), range("k", "l", { keysOnly: true })] }),
    txn({ success: [del("k0", "k2", true)] }),
    del("k2", "k4"),
    del("k", "l", true),
  ]) {
    const prepared = await play.store.prepare(command(operation), true);
    const { reads } = play.disk;
    const place = { index: play.store.appliedIndex + 1, term: 1 };
    play.store.apply(place, command(operation), { prepared, isWanted: true });
    assert.equal(play.disk.reads - reads, 0, operation.case);
  }
  assert.deepEqual(await play.found(range("k", "l")), []);
});

test("a comparison of an interval sees what was changed since the disk had it", async () => {
  const play = manyKeys();
  const isAsBefore = compare("k0", less, { case: "value", value: "a" }, "k1");
  assert.deepEqual(await play.do(txn({ compares: [isAsBefore] })), {
    kind: "txn",
    revision: play.store.revision,
    succeeded: false,
    results: [],
  });
  play.now(del("k07"));
  assert.equal((await resultsOf(play, { compares: [isAsBefore], success: [range("a")] })).length, 1);
  await play.do(del("k0", "k1"));
  const isMissing = compare("k0", equal, { case: "version", value: 0n }, "k1");
  assert.equal((await resultsOf(play, { compares: [isMissing], success: [range("a")] })).length, 1);
});

test("an answer has so many bytes at most, and one key of each operation; what is done has no such bound", async () => {
  const answers = async (maxAnswerBytes: bigint): Promise<readonly (readonly number[])[]> => {
    const play = manyKeys();
    const success = [range("k1", "k3"), range("k10", "k12", { keysOnly: true }), del("k2", "k4", true)];
    const results = await resultsOf(play, { maxAnswerBytes, success });
    assert.deepEqual(await play.found(range("k2", "k4")), []);
    return results.map((result) => {
      if (result.kind === "range") return [result.found.length, result.count, Number(result.hasMore)];
      return result.kind === "delete" ? [result.previous.length, result.deleted] : assert.fail(result.kind);
    });
  };
  // Of each key three bytes, and two of its value.
  const all = [
    [20, 20, 0],
    [2, 2, 0],
    [20, 20],
  ];
  assert.deepEqual(await answers(0n), all);
  assert.deepEqual(await answers(206n), all);
  assert.deepEqual(await answers(205n), [...all.slice(0, 2), [19, 20]]);
  assert.deepEqual(await answers(102n), [
    [20, 20, 0],
    [1, 2, 1],
    [1, 20],
  ]);
  assert.deepEqual(await answers(49n), [
    [9, 20, 1],
    [1, 2, 1],
    [1, 20],
  ]);
  assert.deepEqual(await answers(1n), [
    [1, 20, 1],
    [1, 2, 1],
    [1, 20],
  ]);
});

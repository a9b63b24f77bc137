/** The store that others are compared with: what etcd's model says, in examples. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  CheckpointLeasesCommandSchema,
  CompactCommandSchema,
  ExpireLeasesCommandSchema,
  RangeTarget,
} from "@dkv/protocol/dkv/peer/v1/command";
import { RangeReads } from "../../src/checkers/range-reads.ts";
import { textOf } from "../../src/checkers/result-text.ts";
import { TrueStore } from "../../src/checkers/true-store.ts";
import { Truth } from "../../src/checkers/truth.ts";
import { grantOf, revokeOf } from "../../src/workload/leases.ts";
import { compareOf, deleteOf, rangeOf, setOf, txnOf } from "../../src/workload/operations.ts";
import { set } from "./fixtures.ts";

type Operation = Parameters<TrueStore["apply"]>[0];

/** What each of these gives, as the first entries of a log, of term 1. */
function play(store: TrueStore, ...operations: readonly Operation[]): readonly string[] {
  return operations.map((operation, at) => textOf(store.apply(operation, { index: at + 1, term: 1 }), true));
}

const range = (key: string, end = "", more = {}) =>
  ({ case: "range", value: rangeOf(key, end, more) }) as const;
const compact = (revision: bigint) =>
  ({ case: "compact", value: create(CompactCommandSchema, { revision }) }) as const;
const expire = (ids: bigint[], term: bigint, applied = 10n) =>
  ({ case: "expireLeases", value: create(ExpireLeasesCommandSchema, { ids, term, applied }) }) as const;
const checkpoint = (id: bigint, remainingTtl: bigint, applied: bigint) => {
  const value = create(CheckpointLeasesCommandSchema, { checkpoints: [{ id, remainingTtl }], applied });
  return { case: "checkpointLeases", value } as const;
};

describe("the store that others are compared with", () => {
  it("compares with the state before the transaction, and reads what was done before in it", () => {
    const isNew = compareOf("a", { target: { case: "version", value: 0n } });
    const nested = txnOf([isNew], [range("a")], []);
    assert.deepEqual(play(new TrueStore(), txnOf([isNew], [setOf("a", "1"), nested])), [
      "done at 2 (set at 2 in place of nothing; done at 2 (1 at 2 [a=1@2/2/1/0]))",
    ]);
  });

  it("changes a key as often as it is told to, from what it was before the revision", () => {
    const store = new TrueStore();
    play(store, setOf("a", "1"), txnOf([], [deleteOf("a"), setOf("a", "2"), deleteOf("a"), setOf("b", "1")]));
    assert.deepEqual([...store.current.keys()], ["b"]);
    assert.deepEqual(
      store.changes[3]?.map(({ key, version, previous }) => [key, version?.value, previous?.value]),
      [
        ["a", undefined, "1"],
        ["a", "2", undefined],
        ["a", undefined, "1"],
        ["b", "1", undefined],
      ],
    );
  });

  it("deletes intervals in one revision, and says what was there", () => {
    const texts = play(
      new TrueStore(),
      setOf("a", "1"),
      setOf("b", "2"),
      setOf("c", "3"),
      deleteOf("a", "c", true),
    );
    assert.equal(texts.at(-1), "deleted 2 at 5 [a=1@2/2/1/0 b=2@3/3/1/0]");
  });

  it("ends leases with their keys, in one revision each, and only in the term that measured", () => {
    const store = new TrueStore();
    play(store, grantOf(1n, 5n), setOf("b", "", { lease: 1n }), setOf("a", "", { lease: 1n }));
    assert.deepEqual(play(store, expire([1n, 2n], 2n)), ["expired  at 3"]);
    assert.deepEqual(play(store, expire([1n, 2n], 1n)), ["expired 1 at 4"]);
    assert.deepEqual(
      store.changes[4]?.map(({ key }) => key),
      ["a", "b"],
    );
    assert.deepEqual(play(store, revokeOf(1n), setOf("a", "", { lease: 1n })), [
      "refused as leaseNotFound at 4",
      "refused as leaseNotFound at 4",
    ]);
  });

  it("leaves a lease alone that got the id of the one that was meant", () => {
    const store = new TrueStore();
    const again = [grantOf(1n, 5n), revokeOf(1n), grantOf(1n, 60n)];
    const meant = [checkpoint(1n, 3n, 2n), expire([1n], 1n, 2n)];
    assert.deepEqual(play(store, ...again, ...meant).slice(3), ["lease at 1", "expired  at 1"]);
    assert.deepEqual(store.leases.get(1n), { grantedTtl: 60n, remainingTtl: 0n, grantedIndex: 3 });
    assert.deepEqual(play(store, checkpoint(1n, 3n, 3n), expire([1n], 1n, 3n)), [
      "lease at 1",
      "expired 1 at 1",
    ]);
  });

  it("grants nothing under 0", () => {
    const refused = "refused as noLeaseId at 1";
    const sets = [setOf("a", "1", { grantTtl: 5n }), txnOf([], [setOf("a", "1", { grantTtl: 5n })])];
    assert.deepEqual(play(new TrueStore(), grantOf(0n, 5n), ...sets), [refused, refused, refused]);
  });

  it("reads the past as far as it was not given up", () => {
    const store = new TrueStore();
    play(store, setOf("a", "1"), setOf("a", "2"), compact(3n));
    const at = (revision: bigint) => txnOf([], [range("a", "", { revision })]);
    assert.deepEqual(play(store, at(3n), at(2n), at(4n), compact(3n), compact(4n)), [
      "done at 3 (1 at 3 [a=2@2/3/2/0])",
      "refused as compacted at 3",
      "refused as futureRevision at 3",
      "refused as compacted at 3",
      "refused as futureRevision at 3",
    ]);
  });
});

describe("a range", () => {
  it("is seen if it is not what was so at its revision, or if nobody made that", () => {
    const truth = new Truth();
    truth.applied({ index: 1, term: 1, data: set("a", "1") });
    truth.applied({ index: 2, term: 1, data: set("a", "2") });
    const reads = new RangeReads(truth);
    const found = [
      {
        key: Buffer.from("a"),
        value: Buffer.from("1"),
        createRevision: 2,
        modRevision: 2,
        version: 1,
        lease: 0n,
      },
    ];
    const result = { kind: "range", revision: 3, found, hasMore: false, count: 1 } as const;
    reads.read(rangeOf("a", "", { revision: 2n }), result);
    assert.throws(() => reads.read(rangeOf("a", ""), result), /a range of revision 3 gave/);
    assert.throws(() => reads.read(rangeOf("a", ""), { ...result, revision: 4 }), /which nobody made/);
  });

  it("without an order takes one key more than it may have, and gives the first of them when put in order", () => {
    const truth = new Truth();
    for (const [at, key] of ["b", "a", "c"].entries())
      truth.applied({ index: at + 1, term: 1, data: set(key, "1") });
    const found = [
      {
        key: Buffer.from("b"),
        value: Buffer.from("1"),
        createRevision: 2,
        modRevision: 2,
        version: 1,
        lease: 0n,
      },
    ];
    const operation = rangeOf("a", "z", { limit: 1n, target: RangeTarget.MOD_REVISION });
    const result = { kind: "range", revision: 4, found, hasMore: true, count: 3 } as const;
    new RangeReads(truth).read(operation, result);
  });
});

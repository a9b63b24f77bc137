import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompareRelation } from "@dkv/protocol/dkv/peer/v1/command";
import { checkTxn, type TxnFault } from "../src/txn/check.ts";
import { type Branches, compare, del, range, set, txn } from "./commands.ts";

const isMissing = (key: string) => compare(key, CompareRelation.UNSPECIFIED, { case: "version", value: 0n });
const times = <Item>(count: number, make: (at: number) => Item): Item[] =>
  Array.from({ length: count }, (_, at) => make(at));
const a = set("a", "1");

const table: readonly (Branches & { readonly what: string; readonly fault?: TxnFault })[] = [
  { what: "nothing at all" },
  { what: "sets of two keys", success: [a, set("b", "1")] },
  { what: "a key set twice", success: [a, set("a", "2")], fault: "duplicateKey" },
  { what: "a key set twice if it fails", failure: [a, a], fault: "duplicateKey" },
  { what: "a key set in both lists", success: [a], failure: [a] },
  { what: "a key read and set", success: [range("a"), a, range("a")] },
  { what: "a key set and deleted", success: [a, del("a")], fault: "duplicateKey" },
  { what: "a key deleted and set", success: [del("a"), a], fault: "duplicateKey" },
  { what: "a key set that is deleted with others", success: [del("A", "b"), a], fault: "duplicateKey" },
  { what: "a key set, all others from it on deleted", success: [a, del("b", "\0")] },
  { what: "a key set, all from it on deleted", success: [a, del("a", "\0")], fault: "duplicateKey" },
  { what: "a key set, those up to it deleted", success: [a, del("0", "a")] },
  { what: "a key deleted twice", success: [del("a"), del("a"), del("0", "b")] },
  { what: "a key set, and set in a nested one", success: [a, txn({ success: [a] })], fault: "duplicateKey" },
  { what: "a key set before by a nested one", success: [txn({ failure: [a] }), a], fault: "duplicateKey" },
  {
    what: "a key set by two nested ones",
    success: times(2, () => txn({ success: [a] })),
    fault: "duplicateKey",
  },
  { what: "a key set in both lists of a nested one", success: [txn({ success: [a], failure: [a] })] },
  { what: "a key set twice in a nested one", success: [txn({ success: [a, a] })], fault: "duplicateKey" },
  { what: "a key deleted by nested ones", success: times(2, () => txn({ success: [del("a")] })) },
  {
    what: "a key set in one list of a nested one, and deleted in the other",
    success: [txn({ success: [a], failure: [del("a")] })],
  },
  {
    what: "a key deleted, and set by a nested one deep inside",
    failure: [del("a"), txn({ success: [txn({ success: [a] })] })],
    fault: "duplicateKey",
  },
  { what: "an empty key", success: [set("", "1")], fault: "emptyKey" },
  { what: "an empty key that is read", failure: [range("", "\0")], fault: "emptyKey" },
  { what: "an empty key that is compared", compares: [isMissing("")], fault: "emptyKey" },
  { what: "an empty key in a nested one", success: [txn({ failure: [del("")] })], fault: "emptyKey" },
  { what: "an operation that is none", success: [undefined], fault: "unknownOperation" },
  { what: "one inside of one inside of one", success: [txn({ failure: [txn({ success: [a] })] })] },
  {
    what: "one more inside of that",
    success: [txn({ failure: [txn({ success: [txn({})] })] })],
    fault: "tooDeep",
  },
  { what: "as many as there may be", success: times(4, (at) => set(String(at), "")) },
  { what: "one too many", success: times(5, (at) => set(String(at), "")), fault: "tooManyOperations" },
  { what: "one too many if it fails", failure: times(5, () => range("a")), fault: "tooManyOperations" },
  {
    what: "as many as there may be in each list",
    success: times(4, () => range("a")),
    failure: times(4, () => range("a")),
  },
  {
    what: "as many as there may be with nested ones",
    success: [txn({ success: [a], failure: [range("a")] }), range("a")],
  },
  {
    what: "one too many with nested ones",
    success: [txn({ success: [a], failure: [range("a"), range("a")] }), range("a")],
    fault: "tooManyOperations",
  },
  { what: "as many comparisons as there may be", compares: times(4, () => isMissing("a")) },
  { what: "a comparison too many", compares: times(5, () => isMissing("a")), fault: "tooManyCompares" },
  {
    what: "a comparison too many with nested ones",
    compares: times(3, () => isMissing("a")),
    failure: [txn({ compares: times(2, () => isMissing("a")) })],
    fault: "tooManyCompares",
  },
];

describe("a transaction of at most 4", () => {
  for (const { what, fault, ...branches } of table) {
    it(`${fault === undefined ? "may have" : "is refused for"} ${what}`, () => {
      assert.equal(checkTxn(txn(branches).value, { most: 4, depth: 3 }), fault);
    });
  }
});

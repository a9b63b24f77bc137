import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ListAction, ListResult, Transaction } from "@dkv/checker";
import { complaintAboutLists } from "../../src/load/transactions.ts";

const [one, other] = ["lists/1/0/", "lists/1/1/"];

function transaction(at: number, action: readonly ListAction[], result: ListResult): Transaction {
  return { client: "l", action, calledAt: at, outcome: { kind: "ok", at: at + 1, result } };
}

const append = (key: string, element: string): ListAction => ({ kind: "append", key, element });
const read = (key: string): ListAction => ({ kind: "read", key });

const sound = [
  transaction(0, [append(one, "a"), append(other, "b")], [undefined, undefined]),
  transaction(2, [read(one), append(one, "c")], [["a"], undefined]),
  transaction(4, [read(one), read(other)], [["a", "c"], ["b"]]),
];
const final = new Map([
  [one, ["a", "c"]],
  [other, ["b"]],
]);

describe("the judge of transactions on lists", () => {
  it("is content with what one after the other would have seen", () => {
    assert.equal(complaintAboutLists(sound, final), undefined);
  });

  it("finds a read of the past, and one half of a transaction", () => {
    const stale = [...sound, transaction(6, [read(one)], [["a"]])];
    assert.match(complaintAboutLists(stale, final) ?? "", /^not strictly serializable/);
    const torn = sound.with(2, transaction(0, [read(one), read(other)], [["a"], []]));
    assert.match(complaintAboutLists(torn, final) ?? "", /^not serializable/);
  });

  it("names an acknowledged element that is missing in the end", () => {
    const lost = new Map([...final, [other, []]]);
    const unread = sound.slice(0, 2);
    assert.match(
      complaintAboutLists(unread, lost) ?? "",
      /^b was appended to lists\/1\/1\/, acknowledged, and/,
    );
  });
});

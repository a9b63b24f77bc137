import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Change, Expectation, type Interest, isOfInterest } from "../../src/play/history.ts";

const put = (key: string, revision = 5): Change => ({ key, revision, isDelete: false });
const all: Interest = { key: "\0", rangeEnd: "\0", fromRevision: 1, noPut: false, noDelete: false };

describe("what a watcher has to get", () => {
  const cases: readonly (readonly [string, Partial<Interest>, Change, boolean])[] = [
    ["its key", { key: "a", rangeEnd: "" }, put("a"), true],
    ["no other key", { key: "a", rangeEnd: "" }, put("a\0"), false],
    ["the first key of its range", { key: "a", rangeEnd: "c" }, put("a"), true],
    ["not the end of its range", { key: "a", rangeEnd: "c" }, put("c"), false],
    ["everything from its key on", { key: "b" }, put("\xff\xff"), true],
    ["nothing before that", { key: "b" }, put("a"), false],
    ["from no key, the first one", { key: "", rangeEnd: "" }, put("\0"), true],
    ["its first revision", { fromRevision: 5 }, put("a"), true],
    ["no earlier one", { fromRevision: 6 }, put("a"), false],
    ["no put if it wants none", { noPut: true }, put("a"), false],
    ["no deletion if it wants none", { noDelete: true }, { ...put("a"), isDelete: true }, false],
    ["a deletion if it wants no puts", { noPut: true }, { ...put("a"), isDelete: true }, true],
  ];
  for (const [what, interest, change, isWanted] of cases) {
    it(`is ${what}`, () => {
      assert.equal(isOfInterest(change, { ...all, ...interest }), isWanted);
    });
  }

  it("becomes more as the history grows", () => {
    const history = [put("a", 2), put("b", 3)];
    const expectation = new Expectation({ ...all, key: "b" }, history);
    assert.equal(expectation.count(), 1);
    history.push(put("c", 4), put("a", 5));
    assert.equal(expectation.count(), 2);
  });
});

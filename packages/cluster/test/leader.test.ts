import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { agreedLeader, readView, readVoters, type View } from "../src/leader.ts";

const view = (from: string, leader: string | undefined, term: number): View => ({ from, leader, term });

describe("the leader that the members agree on", () => {
  it("is the one that says so itself and is followed by a majority", () => {
    assert.equal(agreedLeader([view("a", "b", 2), view("b", "b", 2), view("c", undefined, 2)], 3), "b");
  });

  it("is the new one while a deposed one does not know it yet", () => {
    assert.equal(agreedLeader([view("a", "a", 1), view("b", "b", 2), view("c", "b", 2)], 3), "b");
  });

  const none: Readonly<Record<string, View[]>> = {
    "the leader itself does not answer": [view("a", "c", 2), view("b", "c", 2)],
    "only a minority answers": [view("a", "a", 2)],
    "the followers' views are of an older term": [view("a", "a", 2), view("b", "a", 1), view("c", "a", 1)],
    "nobody answers": [],
  };
  for (const [when, views] of Object.entries(none)) {
    it(`is nobody when ${when}`, () => {
      assert.equal(agreedLeader(views, 3), undefined);
    });
  }
});

describe("a member's view", () => {
  it("is read from the JSON form of its answer, in which 64-bit numbers are strings", () => {
    assert.deepEqual(readView("a", { servers: [], header: { leader: "b", term: "7" } }), view("a", "b", 7));
  });

  it("has no leader and term 0 when JSON leaves them out", () => {
    assert.deepEqual(readView("a", { header: {} }), view("a", undefined, 0));
  });

  for (const [what, answer] of [
    ["an error", { code: "unavailable", message: "no leader" }],
    ["no answer", undefined],
    ["a header of another kind", { header: { term: "many" } }],
  ] as const) {
    it(`is not read from ${what}`, () => {
      assert.equal(readView("a", answer), undefined);
    });
  }
});

describe("the list of members", () => {
  it("is read from the JSON form of an answer, and tells learners from voters", () => {
    const servers = [{ id: "a", isLeader: true }, { id: "b", isLearner: true }, { id: "c" }];
    assert.deepEqual(readVoters({ servers }), ["a", "b (learner)", "c"]);
    assert.equal(readVoters({ code: "unavailable" }), undefined);
    assert.equal(readVoters(undefined), undefined);
  });
});

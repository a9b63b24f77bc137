/** Diss. §9.6: asking before campaigning. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "../../src/messages.ts";
import { type EntryId, term } from "../../src/types.ts";
import { at, electionTicks, n, Solo } from "../solo.ts";
import { answer, following, heartbeat, leading, only } from "./members.ts";

function preVoteRequest(ofTerm: number, lastEntry: EntryId = at(99, 99)): Message {
  return { kind: "preVoteRequest", from: n(3), to: n(1), term: term(ofTerm), lastEntry };
}

describe("Diss. §9.6, pre-vote", () => {
  test("§9.6: a node asks first, and keeps its term and its vote meanwhile", () => {
    const solo = new Solo({ term: 4, votedFor: 3 }).tick(electionTicks);
    const requests = only(solo.messages(), "preVoteRequest");
    assert.deepEqual(
      requests.map((request) => [request.to, request.term]),
      [
        [n(2), 5],
        [n(3), 5],
      ],
    );
    solo.tick(10 * electionTicks);
    assert.deepEqual(solo.hardState, { term: 4, votedFor: n(3), commit: 0 });
    assert.equal(solo.status.term, 4);
  });

  test("§9.6: granting a pre-vote promises nothing", () => {
    const solo = new Solo({ term: 4 }).step(preVoteRequest(5));
    const { messages, persist } = solo.ready();
    assert.deepEqual(messages, [{ kind: "preVoteResponse", from: n(1), to: n(3), term: 5, granted: true }]);
    assert.equal(persist, undefined);
    assert.equal(solo.status.term, 4);
  });

  test("§9.6: it is refused while a leader is heard, and to a log that is behind", () => {
    const granted = (solo: Solo): readonly boolean[] =>
      only(solo.messages(), "preVoteResponse").map((one) => one.granted);
    assert.deepEqual(granted(following(4).step(preVoteRequest(5))), [false]);
    assert.deepEqual(granted(leading().step(preVoteRequest(5))), [false]);
    assert.deepEqual(granted(new Solo({ log: [1, 4] }).step(preVoteRequest(5, at(9, 1)))), [false]);
    assert.deepEqual(
      granted(following(4).tick(electionTicks).step(preVoteRequest(5))),
      [true],
      "no leader heard any more",
    );
  });

  test("§9.6: answers to an earlier pre-vote do not count", () => {
    const solo = new Solo({ term: 4 }).tick(electionTicks);
    solo.step({ kind: "preVoteResponse", from: n(2), to: n(1), term: term(4), granted: true });
    assert.equal(solo.status.role, "preCandidate");
  });

  test("§9.6: a refusal with a larger term makes the node catch up, so that its next attempt can succeed", () => {
    const solo = new Solo({ term: 4 }).tick(electionTicks);
    solo.step({ kind: "preVoteResponse", from: n(2), to: n(1), term: term(7), granted: false });
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.status.term, 7);
  });

  test("§9.6: a node with a larger term than the leader's frees itself by its answers", () => {
    const stuck = new Solo({ term: 9 }).step(heartbeat(4));
    const [freed] = stuck.messages();
    assert.equal(freed?.term, 9);
    const leader = leading().step({ ...answer(2, stuck), term: term(9) });
    assert.equal(leader.status.role, "follower");
    assert.equal(leader.status.term, 9);
  });
});

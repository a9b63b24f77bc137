/** Raft §5.4 to §8: one test for each rule of the paper about safety, repetition and clients. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantViolation } from "../../src/assert.ts";
import { noEntry } from "../../src/types.ts";
import { at, context, n, Solo } from "../solo.ts";
import { append, candidate, only, termsOf, voteRequest } from "./members.ts";

describe("Raft §5.4, safety", () => {
  test("§5.4.1: a request for a vote carries the candidate's last entry", () => {
    const solo = candidate({ log: [1, 2, 2] });
    assert.ok(
      only(solo.messages(), "voteRequest").every(
        ({ lastEntry }) => lastEntry.index === 3 && lastEntry.term === 2,
      ),
    );
  });

  test("§5.4.1: a voter denies its vote if its own log is more up-to-date", () => {
    for (const { theirs, granted } of [
      { theirs: at(2, 2), granted: true },
      { theirs: at(1, 3), granted: true },
      { theirs: at(1, 2), granted: false },
      { theirs: at(9, 1), granted: false },
      { theirs: noEntry, granted: false },
    ]) {
      const solo = new Solo({ log: [1, 2] }).step(voteRequest(2, 5, theirs));
      assert.deepEqual(
        only(solo.messages(), "voteResponse").map((response) => response.granted),
        [granted],
      );
    }
  });

  test("§5.4.2, Figure 8: a leader does not commit an entry of an earlier term by counting replicas", () => {
    // (c) in the figure: term 4 begins, and entry 2 of term 2 reaches a majority.
    const solo = new Solo({ voters: [1, 2, 3, 4, 5], log: [1, 2], term: 3, commit: 1 }).elect();
    solo.run();
    solo.acknowledge(n(2), 2).acknowledge(n(3), 2);
    assert.equal(solo.status.commit, 1, "another leader could still overwrite entry 2");
    // (e): an entry of its own term on a majority commits both.
    solo.acknowledge(n(2), 3).acknowledge(n(3), 3);
    assert.equal(solo.status.commit, 3);
  });

  test("§5.4.3: no leader's append may touch what is committed", () => {
    const solo = new Solo({ log: [1, 1], commit: 2 });
    solo.step(append({ term: 2, prev: noEntry, terms: [2, 2] }));
    assert.deepEqual(termsOf(solo), [1, 1]);
    assert.deepEqual(
      only(solo.messages(), "appendAccepted").map(({ match }) => match),
      [2],
      "it tells what it has",
    );
  });

  test("§5.2, Election Safety: two leaders in one term stop the node", () => {
    const solo = new Solo().step(append({ from: 2, term: 1 }));
    assert.throws(() => solo.step(append({ from: 3, term: 1 })), InvariantViolation);
  });
});

describe("Raft §5.5 and §8, repeated requests and clients", () => {
  test("§5.5: requests are idempotent", () => {
    const request = append({ term: 1, terms: [1, 1] });
    const solo = new Solo().step(request);
    const first = solo.messages();
    const again = solo.step(request).messages();
    assert.deepEqual(again, first);
    assert.deepEqual(solo.disk.terms(), [1, 1]);
  });

  test("§8: a leader begins its term with an empty entry, which commits what was left open", () => {
    const solo = new Solo({ log: [1, 1], commit: 1 }).elect();
    const [request] = only(solo.messages(), "appendEntries");
    assert.deepEqual(
      request?.entries.map(({ kind, term: of, data }) => [kind, of, data.length]),
      [["empty", 2, 0]],
    );
    assert.equal(solo.acknowledge(n(2)).status.commit, 3);
  });

  test("§8: a leader that has not heard a majority since does not answer a read", () => {
    const solo = new Solo().elected();
    assert.equal(solo.node.readIndex(context(7)).kind, "accepted");
    assert.deepEqual(solo.run().readStates, []);
  });
});

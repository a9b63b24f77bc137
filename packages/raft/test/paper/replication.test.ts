/** Raft §5.3: one test for each rule of the paper about replication. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantViolation } from "../../src/assert.ts";
import { logIndex, noEntry, term } from "../../src/types.ts";
import { at, bytes, n, Solo } from "../solo.ts";
import { append, candidate, only, termsOf } from "./members.ts";

describe("Raft §5.3, log replication", () => {
  test("§5.3: the leader appends a command to its log and sends it to all others in parallel", () => {
    const solo = new Solo({ log: [1] }).elected();
    assert.deepEqual(solo.propose("x"), { kind: "accepted", first: 3, term: 2 });
    const { messages } = solo.ready();
    assert.deepEqual(
      only(messages, "appendEntries").map(({ to, prev, entries: [first] }) => [to, prev, first?.data]),
      [
        [n(2), at(2, 2), bytes("x")],
        [n(3), at(2, 2), bytes("x")],
      ],
    );
  });

  test("§5.3: only the leader takes commands", () => {
    assert.deepEqual(new Solo().propose("x"), { kind: "dropped", because: "notLeader" });
    assert.deepEqual(candidate().propose("x"), { kind: "dropped", because: "notLeader" });
  });

  test("§5.3: an entry is committed once a majority stores it, the leader's disk included", () => {
    const solo = new Solo().elected();
    solo.propose("x");
    const { persist } = solo.ready();
    solo.acknowledge(n(2));
    assert.equal(solo.status.commit, 1, "one follower and a leader that is still writing");
    solo.persist(persist);
    assert.equal(solo.status.commit, 2);
  });

  test("§5.3: committing an entry commits all before it, those of previous leaders too", () => {
    const solo = new Solo({ log: [1, 1, 2], commit: 1 }).elect();
    solo.run();
    assert.equal(solo.acknowledge(n(3)).status.commit, 4);
    assert.deepEqual(
      solo.run().committed.map((one) => one.term),
      [1, 2, 3],
      "1/1 was committed before",
    );
  });

  test("§5.3: the leader includes its commit index in later appends, so that followers learn it", () => {
    const solo = new Solo().elected();
    solo.propose("x");
    solo.run();
    for (const from of [n(2), n(3)]) solo.acknowledge(from);
    assert.deepEqual(only(solo.messages(), "appendEntries"), [], "more entries may follow and carry it");
    solo.tick();
    const told = only(solo.messages(), "heartbeat").map(({ to, commit }) => [to, commit]);
    assert.deepEqual(told, [
      [n(2), 2],
      [n(3), 2],
    ]);
    solo.propose("y");
    const later = only(solo.messages(), "appendEntries");
    assert.deepEqual(
      later.map(({ commit }) => commit),
      [2, 2],
    );
  });

  test("§5.3: a follower applies what it learns is committed, in log order", () => {
    const solo = new Solo().step(append({ term: 1, terms: [1, 1, 1], commit: 2 }));
    assert.deepEqual(
      solo.run().committed.map(({ index }) => index),
      [1, 2],
    );
    solo.step(append({ term: 1, prev: at(3, 1), commit: 3 }));
    assert.deepEqual(
      solo.run().committed.map(({ index }) => index),
      [3],
    );
  });

  test("§5.3: a follower without the preceding entry refuses the new ones", () => {
    for (const prev of [at(3, 1), at(2, 2)]) {
      const solo = new Solo({ log: [1, 1] }).step(append({ term: 3, prev, terms: [3] }));
      assert.deepEqual(termsOf(solo), [1, 1]);
      const [answer] = only(solo.messages(), "appendRejected");
      assert.equal(answer?.prevIndex, prev.index);
    }
  });

  test("§5.3: acceptance means that the follower's log equals the leader's up to there", () => {
    const solo = new Solo({ log: [1, 1] }).step(append({ term: 2, prev: at(2, 1), terms: [2, 2] }));
    assert.deepEqual(termsOf(solo), [1, 1, 2, 2]);
    assert.deepEqual(
      only(solo.messages(), "appendAccepted").map(({ match }) => match),
      [4],
    );
  });

  test("Fig. 2: an append is acknowledged once its entries are on disk", () => {
    const solo = new Solo({ term: 1 }).step(append({ term: 1, terms: [1] }));
    const { messages, persist } = solo.ready();
    assert.deepEqual(messages, []);
    assert.deepEqual(
      only(solo.persist(persist), "appendAccepted").map(({ match }) => match),
      [1],
    );
    assert.deepEqual(solo.disk.terms(), [1]);
  });

  test("§5.3: conflicting entries of a follower are overwritten with the leader's", () => {
    const solo = new Solo({ log: [1, 2, 2, 2] }).step(append({ term: 3, prev: at(1, 1), terms: [3, 3] }));
    solo.run();
    assert.deepEqual(solo.disk.terms(), [1, 3, 3]);
  });

  test("§5.3: entries replaced while they are written are not acknowledged by that write", () => {
    const solo = new Solo().step(append({ term: 1, terms: [1, 1] }));
    const first = solo.ready();
    solo.step(append({ from: 3, term: 2, terms: [2] }));
    solo.persist(first.persist);
    const second = solo.ready();
    assert.deepEqual(
      only(second.messages, "appendAccepted"),
      [],
      "the disk still holds the other leader's entries",
    );
    assert.deepEqual(
      only(solo.persist(second.persist), "appendAccepted").map(({ to, match }) => [to, match]),
      [[n(3), 1]],
    );
    assert.deepEqual(solo.disk.terms(), [2]);
  });

  test("Fig. 2: a delayed, shorter append takes nothing away", () => {
    const solo = new Solo({ log: [1, 1, 1] }).step(append({ term: 1, prev: at(1, 1), terms: [1] }));
    assert.deepEqual(termsOf(solo), [1, 1, 1]);
    assert.deepEqual(
      only(solo.messages(), "appendAccepted").map(({ match }) => match),
      [2],
    );
  });

  test("Fig. 2: a follower commits at most up to the last entry it was just sent", () => {
    const solo = new Solo({ log: [1, 1, 1] }).step(append({ term: 2, prev: at(1, 1), commit: 3 }));
    assert.equal(solo.status.commit, 1, "entries 2 and 3 may be other than the leader's");
  });

  test("§5.3: the commit index of an append that matches nothing counts for nothing", () => {
    const solo = new Solo({ log: [1, 1] }).step(append({ term: 3, prev: at(2, 2), commit: 2 }));
    assert.equal(solo.status.commit, 0);
  });

  test("§5.3: a leader never overwrites or deletes entries in its own log", () => {
    const solo = new Solo({ log: [1] }).elected();
    assert.throws(() => solo.step(append({ term: 2, terms: [2, 2, 2] })), InvariantViolation);
    assert.deepEqual(termsOf(solo), [1, 2]);
  });

  test("§5.3: after a refusal the leader goes back and tries again", () => {
    const solo = new Solo({ log: [1, 1, 1, 1] }).elect();
    solo.run();
    solo.step({
      kind: "appendRejected",
      from: n(2),
      to: n(1),
      term: term(2),
      prevIndex: logIndex(4),
      hint: at(2, 1),
    });
    const [retry] = only(solo.messages(), "appendEntries");
    assert.deepEqual([retry?.to, retry?.prev, retry?.entries.length], [n(2), at(2, 1), 3]);
  });

  test("§5.3: a refusal names where the follower's terms allow agreement, and whole terms are skipped", () => {
    const follower = new Solo({ log: [1, 1, 4, 4, 4] }).step(append({ term: 6, prev: at(5, 3) }));
    assert.deepEqual(only(follower.messages(), "appendRejected")[0]?.hint, at(2, 1));

    const leader = new Solo({ log: [1, 3, 3, 3, 3] }).elect();
    leader.run();
    leader.step({
      kind: "appendRejected",
      from: n(2),
      to: n(1),
      term: term(4),
      prevIndex: logIndex(5),
      hint: at(5, 2),
    });
    assert.deepEqual(only(leader.messages(), "appendEntries")[0]?.prev, at(1, 1));
  });

  test("§5.3: the leader retries as long as it takes, even after it has answered its clients", () => {
    const solo = new Solo().elect();
    solo.run();
    solo.acknowledge(n(2));
    solo.run();
    assert.equal(solo.status.commit, 1);
    for (let lost = 0; lost < 5; lost += 1) {
      solo.tick().run();
      for (const from of [n(2), n(3)]) {
        solo.step({ kind: "heartbeatResponse", from, to: n(1), term: term(1), readRound: undefined });
      }
      assert.deepEqual(
        only(solo.messages(), "appendEntries").map(({ to, prev }) => [to, prev]),
        [[n(3), noEntry]],
      );
    }
  });

  test("§5.3, Figure 7: a leader brings every possible follower's log to match its own", () => {
    const leaders = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const followers = {
      "(a) misses one": [1, 1, 1, 4, 4, 5, 5, 6, 6],
      "(b) misses many": [1, 1, 1, 4],
      "(c) has one more": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      "(d) has a term more": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      "(e) misses some and has others": [1, 1, 1, 4, 4, 4, 4],
      "(f) was leader twice": [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    };
    for (const [name, log] of Object.entries(followers)) {
      const leader = new Solo({ log: leaders, term: 7, voters: [1, 2, 3] }).elect();
      const follower = new Solo({ log, config: { id: n(2) } });
      let rounds = 0;
      for (let toFollower = leader.messages(); toFollower.length > 0; rounds += 1) {
        for (const message of toFollower) follower.step(message);
        for (const message of follower.messages()) leader.step(message);
        toFollower = leader.messages().filter(({ to }) => to === n(2));
      }
      assert.deepEqual(follower.disk.terms(), [...leaders, 8], name);
      assert.ok(rounds <= 5, `${name}: whole terms are skipped, so it took ${String(rounds)} rounds`);
    }
  });
});

/** Raft §5.1 and §5.2: one test for each rule of the paper about terms and elections. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { logIndex, noEntry, term } from "../../src/types.ts";
import { at, electionTicks, n, Solo } from "../solo.ts";
import { append, candidate, heartbeat, only, preVote, termsOf, vote, voteRequest } from "./members.ts";

describe("Raft §5.1, terms", () => {
  test("§5.1: a server that sees a larger term updates its own, and forgets its vote", () => {
    const solo = new Solo({ term: 3, votedFor: 2 }).step(voteRequest(3, 5));
    assert.equal(solo.status.term, 5);
    solo.run();
    assert.deepEqual(solo.hardState, { term: 5, votedFor: n(3), commit: 0 });
  });

  test("§5.1: a candidate or leader whose term is out of date reverts to follower", () => {
    for (const solo of [candidate(), new Solo().elect()]) {
      solo.step({
        kind: "appendRejected",
        from: n(2),
        to: n(1),
        term: term(9),
        prevIndex: logIndex(1),
        hint: noEntry,
      });
      assert.equal(solo.status.role, "follower");
      assert.equal(solo.status.term, 9);
      assert.equal(solo.status.leader, undefined);
    }
  });

  test("§5.1: a request for a vote with a stale term is rejected", () => {
    const solo = new Solo({ term: 5 }).step(voteRequest(2, 4));
    assert.deepEqual(solo.messages(), [
      { kind: "voteResponse", from: n(1), to: n(2), term: 5, granted: false },
    ]);
  });

  test("§5.1: appends with a stale term are rejected, and their sender learns the term", () => {
    const solo = new Solo({ term: 5, log: [1] }).step(append({ term: 4, prev: at(1, 1), terms: [4] }));
    assert.deepEqual(termsOf(solo), [1]);
    const [answer] = solo.messages();
    assert.equal(answer?.term, 5);
    assert.equal(solo.status.leader, undefined);
  });

  test("Fig. 2: term and vote are on stable storage before a vote is answered", () => {
    const solo = new Solo().step(voteRequest(2, 1));
    const { messages, persist } = solo.ready();
    assert.deepEqual(messages, []);
    assert.deepEqual(persist?.hardState, { term: 1, votedFor: n(2), commit: 0 });
    assert.deepEqual(
      only(solo.persist(persist), "voteResponse").map(({ granted }) => granted),
      [true],
    );
  });

  test("Fig. 2: a vote in a term that is on stable storage already is stored before it is answered", () => {
    const solo = new Solo({ term: 4 }).step(voteRequest(2, 4));
    const { messages, persist } = solo.ready();
    assert.deepEqual(messages, []);
    assert.deepEqual(persist?.hardState, { term: 4, votedFor: n(2), commit: 0 });
    assert.deepEqual(
      only(solo.persist(persist), "voteResponse").map(({ granted }) => granted),
      [true],
    );
  });

  test("Fig. 2: what is said while a batch is being written waits for the next one", () => {
    const solo = new Solo().step(append({ term: 1, terms: [1] }));
    const first = solo.ready();
    solo.step(append({ term: 1, prev: at(1, 1), terms: [1] }));
    const meanwhile = solo.ready();
    assert.equal(meanwhile.persist, undefined, "one batch at a time");
    assert.deepEqual(meanwhile.messages, []);
    assert.deepEqual(
      only(solo.persist(first.persist), "appendAccepted").map(({ match }) => match),
      [1],
    );
    const second = solo.ready();
    assert.deepEqual(
      second.persist?.entries.map(({ index }) => index),
      [2],
    );
    assert.deepEqual(
      only(solo.persist(second.persist), "appendAccepted").map(({ match }) => match),
      [2],
    );
  });

  test("Fig. 2: a vote that was stored binds after a restart", () => {
    const solo = new Solo({ term: 4, votedFor: 2 }).step(voteRequest(3, 4));
    assert.deepEqual(
      only(solo.messages(), "voteResponse").map(({ granted }) => granted),
      [false],
    );
  });
});

describe("Raft §5.2, leader election", () => {
  test("§5.2: servers begin as followers", () => {
    assert.equal(new Solo().status.role, "follower");
    assert.equal(new Solo({ term: 7, votedFor: 1 }).status.role, "follower");
  });

  test("§5.2: a server remains follower as long as it hears from a leader", () => {
    const solo = new Solo();
    for (let round = 0; round < 5; round += 1) {
      assert.equal(solo.tick(electionTicks - 1).status.role, "follower");
      solo.step(append({ term: 1 }));
    }
    assert.equal(solo.status.leader, n(2));
  });

  test("§5.2: without communication for an election timeout it begins an election", () => {
    const solo = new Solo().tick(electionTicks - 1);
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.tick().status.role, "preCandidate");
  });

  test("§5.2: to begin an election it increments its term, votes for itself and asks all others", () => {
    const solo = new Solo({ log: [1, 2] }).tick(electionTicks);
    solo.run();
    solo.step(preVote(2, 3));
    const requests = only(solo.messages(), "voteRequest");
    assert.deepEqual(
      requests.map(({ to }) => to),
      [n(2), n(3)],
    );
    assert.ok(requests.every((request) => request.term === 3 && !request.leadershipTransfer));
    assert.deepEqual(solo.hardState, { term: 3, votedFor: n(1), commit: 0 });
  });

  test("§5.2: requests for votes leave when the candidate's own vote is stored", () => {
    const solo = candidate();
    const { messages, persist } = solo.ready();
    assert.deepEqual(only(messages, "voteRequest"), []);
    assert.equal(persist?.hardState?.votedFor, n(1));
    assert.equal(only(solo.persist(persist), "voteRequest").length, 2);
  });

  test("§5.2: a candidate wins with the votes of a majority of the full cluster, and not with fewer", () => {
    for (const { size, votes } of [
      { size: 2, votes: 1 },
      { size: 3, votes: 1 },
      { size: 4, votes: 2 },
      { size: 5, votes: 2 },
    ]) {
      const solo = candidate({ voters: Array.from({ length: size }, (_, position) => position + 1) });
      solo.run();
      for (let from = 2; from < votes + 1; from += 1) solo.step(vote(from, 1));
      assert.equal(solo.status.role, "candidate", `${String(size)} servers, one vote short`);
      assert.equal(solo.step(vote(votes + 1, 1)).status.role, "leader");
    }
  });

  test("§5.2: the only server of a cluster elects itself", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    const { committed } = solo.run();
    assert.equal(solo.status.role, "leader");
    solo.propose("a");
    assert.deepEqual(
      [...committed, ...solo.run().committed].map(({ index }) => index),
      [1, 2],
    );
  });

  test("Fig. 2: a candidate's own vote counts when it is stored, and not when an earlier one is", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    const { persist: first } = solo.ready();
    solo.tick(electionTicks);
    assert.deepEqual([solo.status.role, solo.status.term], ["candidate", 2]);
    solo.persist(first);
    assert.equal(solo.status.role, "candidate", "its vote of term 1 is stored");
    solo.persist(solo.ready().persist);
    assert.deepEqual([solo.status.role, solo.hardState.term], ["leader", 2]);
  });

  test("§5.2: the same vote twice counts once", () => {
    const solo = candidate({ voters: [1, 2, 3, 4, 5] });
    solo.run();
    solo.step(vote(2, 1)).step(vote(2, 1));
    assert.equal(solo.status.role, "candidate");
    solo.step(vote(2, 1, false)).step(vote(3, 1));
    assert.equal(solo.status.role, "leader", "and the first answer of a voter stands");
  });

  test("§5.2: each server votes for at most one candidate in a term, first come first served", () => {
    const solo = new Solo().step(voteRequest(2, 1)).step(voteRequest(3, 1)).step(voteRequest(2, 1));
    const granted = only(solo.messages(), "voteResponse").map((response) => [response.to, response.granted]);
    assert.deepEqual(granted, [
      [n(2), true],
      [n(3), false],
      [n(2), true],
    ]);
  });

  test("§5.2: a leader sends heartbeats to all to keep its authority", () => {
    const solo = new Solo({ config: { heartbeatTicks: 3 } }).elected();
    assert.deepEqual(only(solo.tick(2).messages(), "heartbeat"), []);
    assert.deepEqual(
      only(solo.tick().messages(), "heartbeat").map(({ to }) => to),
      [n(2), n(3)],
    );
  });

  test("§5.2: a candidate that hears a leader of its term returns to follower", () => {
    const solo = candidate().step(append({ term: 1, terms: [1] }));
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.status.leader, n(2));
    assert.deepEqual(termsOf(solo), [1], "and takes what the leader sent");
  });

  test("§5.2: a candidate that hears a leader of an earlier term continues", () => {
    const solo = candidate({ term: 4 }).step(append({ term: 4, terms: [4] }));
    assert.equal(solo.status.role, "candidate");
    assert.deepEqual(termsOf(solo), []);
  });

  test("§5.2: a split vote times out, and the next election has a larger term", () => {
    const solo = candidate({ voters: [1, 2, 3, 4] })
      .step(vote(2, 1))
      .step(vote(3, 1, false));
    assert.equal(solo.status.role, "candidate", "two of four");
    solo.tick(electionTicks).step(preVote(2, 2)).step(preVote(3, 2));
    assert.equal(solo.status.role, "candidate");
    assert.equal(solo.status.term, 2);
  });

  test("§5.2: a candidate that cannot win any more gives up", () => {
    const solo = candidate()
      .step(vote(2, 1, false))
      .step(vote(3, 1, false));
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.status.term, 1);
  });

  test("a campaign that was lost is followed by another without waiting for a leader first", () => {
    const lost = candidate()
      .step(vote(2, 1, false))
      .step(vote(3, 1, false));
    const quarter = Math.ceil(electionTicks / 4);
    assert.equal(lost.tick(quarter - 1).status.role, "follower");
    assert.equal(lost.tick().status.role, "preCandidate");
    const led = candidate()
      .step(vote(2, 1, false))
      .step(vote(3, 1, false))
      .step(heartbeat(1));
    assert.equal(
      led.tick(electionTicks - 1).status.role,
      "follower",
      "one that hears a leader waits as ever",
    );
  });

  test("§5.2: election timeouts are drawn at random from a fixed interval, anew each time", () => {
    const draws = [9, 0, 4];
    const bounds: number[] = [];
    const random = (bound: number): number => {
      bounds.push(bound);
      return draws[bounds.length - 1] ?? 0;
    };
    const solo = new Solo({ config: { random } });
    assert.equal(solo.tick(electionTicks + 8).status.role, "follower");
    assert.equal(solo.tick().status.role, "preCandidate");
    assert.ok(bounds.length > 1, "and again for the next attempt");
    assert.ok(bounds.every((bound) => bound === electionTicks));
  });

  test("Fig. 2: granting a vote restarts the election timer, refusing one does not", () => {
    const granting = new Solo()
      .tick(electionTicks - 1)
      .step(voteRequest(2, 1))
      .tick();
    assert.equal(granting.status.role, "follower");
    const refusing = new Solo({ log: [1] })
      .tick(electionTicks - 1)
      .step(voteRequest(2, 2, noEntry))
      .tick();
    assert.equal(refusing.status.role, "preCandidate");
  });
});

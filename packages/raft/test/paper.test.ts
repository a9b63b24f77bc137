/**
 * The rules of "In Search of an Understandable Consensus Algorithm (Extended Version)", one test each, in
 * the order of its sections. What comes from the dissertation is in dissertation.test.ts.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantViolation } from "../src/assert.ts";
import type { AppendEntries, Message } from "../src/messages.ts";
import { type EntryId, logIndex, noEntry, term } from "../src/types.ts";
import { at, bytes, context, electionTicks, entries, n, Solo, type SoloOptions } from "./solo.ts";

interface AppendOptions {
  readonly from?: number;
  readonly term: number;
  readonly prev?: EntryId;
  readonly terms?: readonly number[];
  readonly commit?: number;
}

/** An AppendEntries request that arrives at node 1. */
function append(options: AppendOptions): AppendEntries {
  const prev = options.prev ?? noEntry;
  return {
    kind: "appendEntries",
    from: n(options.from ?? 2),
    to: n(1),
    term: term(options.term),
    prev,
    entries: entries(options.terms ?? [], prev.index + 1),
    commit: logIndex(options.commit ?? 0),
  };
}

function voteRequest(from: number, ofTerm: number, lastEntry: EntryId = at(9, 9)): Message {
  return { kind: "voteRequest", from: n(from), to: n(1), term: term(ofTerm), lastEntry, leadershipTransfer: false };
}

function vote(from: number, ofTerm: number, granted = true): Message {
  return { kind: "voteResponse", from: n(from), to: n(1), term: term(ofTerm), granted };
}

function preVote(from: number, ofTerm: number, granted = true): Message {
  return { kind: "preVoteResponse", from: n(from), to: n(1), term: term(ofTerm), granted };
}

/** A candidate of the next term that has asked everybody. */
function candidate(options: SoloOptions = {}): Solo {
  const solo = new Solo(options).tick(electionTicks);
  const next = solo.status.term + 1;
  for (let from = 2; solo.status.role === "preCandidate"; from += 1) solo.step(preVote(from, next));
  return solo;
}

function only<Kind extends Message["kind"]>(messages: readonly Message[], kind: Kind): Extract<Message, { kind: Kind }>[] {
  return messages.filter((message): message is Extract<Message, { kind: Kind }> => message.kind === kind);
}

/** The whole log as terms, durable or not. */
function termsOf({ node, status }: Solo): readonly (number | undefined)[] {
  return Array.from({ length: status.lastIndex }, (_, position) => node.termAt(logIndex(position + 1)));
}

describe("Raft §5.1, terms", () => {
  test("§5.1: a server that sees a larger term updates its own, and forgets its vote", () => {
    const solo = new Solo({ term: 3, votedFor: 2 }).step(voteRequest(3, 5));
    assert.equal(solo.status.term, 5);
    solo.run();
    assert.deepEqual(solo.hardState, { term: 5, votedFor: n(3), commit: 0 });
  });

  test("§5.1: a candidate or leader whose term is out of date reverts to follower", () => {
    for (const solo of [candidate(), new Solo().elect()]) {
      solo.step({ kind: "appendRejected", from: n(2), to: n(1), term: term(9), prevIndex: logIndex(1), hint: noEntry });
      assert.equal(solo.status.role, "follower");
      assert.equal(solo.status.term, 9);
      assert.equal(solo.status.leader, undefined);
    }
  });

  test("§5.1: a request for a vote with a stale term is rejected", () => {
    const solo = new Solo({ term: 5 }).step(voteRequest(2, 4));
    assert.deepEqual(solo.messages(), [{ kind: "voteResponse", from: n(1), to: n(2), term: 5, granted: false }]);
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
    assert.deepEqual(only(solo.persist(persist), "voteResponse").map(({ granted }) => granted), [true]);
  });

  test("Fig. 2: what is said while a batch is being written waits for the next one", () => {
    const solo = new Solo().step(append({ term: 1, terms: [1] }));
    const first = solo.ready();
    solo.step(append({ term: 1, prev: at(1, 1), terms: [1] }));
    const meanwhile = solo.ready();
    assert.equal(meanwhile.persist, undefined, "one batch at a time");
    assert.deepEqual(meanwhile.messages, []);
    assert.deepEqual(only(solo.persist(first.persist), "appendAccepted").map(({ match }) => match), [1]);
    const second = solo.ready();
    assert.deepEqual(second.persist?.entries.map(({ index }) => index), [2]);
    assert.deepEqual(only(solo.persist(second.persist), "appendAccepted").map(({ match }) => match), [2]);
  });

  test("Fig. 2: a vote that was stored binds after a restart", () => {
    const solo = new Solo({ term: 4, votedFor: 2 }).step(voteRequest(3, 4));
    assert.deepEqual(only(solo.messages(), "voteResponse").map(({ granted }) => granted), [false]);
  });
});

describe("Raft §5.2, leader election", () => {
  test("§5.2: servers begin as followers", () => {
    assert.equal(new Solo().status.role, "follower");
    assert.equal(new Solo({ term: 7, votedFor: 1 }).status.role, "follower");
  });

  test("§5.2: a server remains follower as long as it hears from a leader", () => {
    const solo = new Solo();
    for (let round = 0; round < 5; round += 1) solo.tick(electionTicks - 1).step(append({ term: 1 }));
    assert.equal(solo.status.role, "follower");
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
    assert.deepEqual(requests.map(({ to }) => to), [n(2), n(3)]);
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
      for (let from = 2; from < votes + 1; from += 1) solo.step(vote(from, 1));
      assert.equal(solo.status.role, "candidate", `${String(size)} servers, one vote short`);
      assert.equal(solo.step(vote(votes + 1, 1)).status.role, "leader");
    }
  });

  test("§5.2: the only server of a cluster elects itself", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    assert.equal(solo.status.role, "leader");
    solo.propose("a");
    assert.deepEqual(solo.run().committed.map(({ index }) => index), [1, 2]);
  });

  test("§5.2: the same vote twice counts once", () => {
    const solo = candidate({ voters: [1, 2, 3, 4, 5] }).step(vote(2, 1)).step(vote(2, 1));
    assert.equal(solo.status.role, "candidate");
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
    assert.deepEqual(only(solo.tick().messages(), "heartbeat").map(({ to }) => to), [n(2), n(3)]);
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
    const solo = candidate({ voters: [1, 2, 3, 4] }).step(vote(2, 1)).step(vote(3, 1, false));
    assert.equal(solo.status.role, "candidate", "two of four");
    solo.tick(electionTicks).step(preVote(2, 2)).step(preVote(3, 2));
    assert.equal(solo.status.role, "candidate");
    assert.equal(solo.status.term, 2);
  });

  test("§5.2: a candidate that cannot win any more gives up", () => {
    const solo = candidate().step(vote(2, 1, false)).step(vote(3, 1, false));
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.status.term, 1);
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
    const granting = new Solo().tick(electionTicks - 1).step(voteRequest(2, 1)).tick();
    assert.equal(granting.status.role, "follower");
    const refusing = new Solo({ log: [1] }).tick(electionTicks - 1).step(voteRequest(2, 2, noEntry)).tick();
    assert.equal(refusing.status.role, "preCandidate");
  });
});

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
    assert.deepEqual(solo.run().committed.map((one) => one.term), [1, 2, 3], "1/1 was committed before");
  });

  test("§5.3: the leader includes its commit index in later appends, so that followers learn it", () => {
    const solo = new Solo().elected();
    solo.propose("x");
    solo.run();
    solo.acknowledge(n(2));
    const appends = only(solo.messages(), "appendEntries");
    assert.deepEqual(appends.map(({ to, commit, entries: sent }) => [to, commit, sent.length]), [
      [n(2), 2, 0],
      [n(3), 2, 0],
    ]);
  });

  test("§5.3: a follower applies what it learns is committed, in log order", () => {
    const solo = new Solo().step(append({ term: 1, terms: [1, 1, 1], commit: 2 }));
    assert.deepEqual(solo.run().committed.map(({ index }) => index), [1, 2]);
    solo.step(append({ term: 1, prev: at(3, 1), commit: 3 }));
    assert.deepEqual(solo.run().committed.map(({ index }) => index), [3]);
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
    assert.deepEqual(only(solo.messages(), "appendAccepted").map(({ match }) => match), [4]);
  });

  test("Fig. 2: an append is acknowledged once its entries are on disk", () => {
    const solo = new Solo({ term: 1 }).step(append({ term: 1, terms: [1] }));
    const { messages, persist } = solo.ready();
    assert.deepEqual(messages, []);
    assert.deepEqual(only(solo.persist(persist), "appendAccepted").map(({ match }) => match), [1]);
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
    assert.deepEqual(only(second.messages, "appendAccepted"), [], "the disk still holds the other leader's entries");
    assert.deepEqual(only(solo.persist(second.persist), "appendAccepted").map(({ to, match }) => [to, match]), [[n(3), 1]]);
    assert.deepEqual(solo.disk.terms(), [2]);
  });

  test("Fig. 2: a delayed, shorter append takes nothing away", () => {
    const solo = new Solo({ log: [1, 1, 1] }).step(append({ term: 1, prev: at(1, 1), terms: [1] }));
    assert.deepEqual(termsOf(solo), [1, 1, 1]);
    assert.deepEqual(only(solo.messages(), "appendAccepted").map(({ match }) => match), [2]);
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
    solo.step({ kind: "appendRejected", from: n(2), to: n(1), term: term(2), prevIndex: logIndex(4), hint: at(2, 1) });
    const [retry] = only(solo.messages(), "appendEntries");
    assert.deepEqual([retry?.to, retry?.prev, retry?.entries.length], [n(2), at(2, 1), 3]);
  });

  test("§5.3: a refusal names where the follower's terms allow agreement, and whole terms are skipped", () => {
    const follower = new Solo({ log: [1, 1, 4, 4, 4] }).step(append({ term: 6, prev: at(5, 3) }));
    assert.deepEqual(only(follower.messages(), "appendRejected")[0]?.hint, at(2, 1));

    const leader = new Solo({ log: [1, 3, 3, 3, 3] }).elect();
    leader.run();
    leader.step({ kind: "appendRejected", from: n(2), to: n(1), term: term(4), prevIndex: logIndex(5), hint: at(5, 2) });
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
        solo.step({ kind: "heartbeatResponse", from, to: n(1), term: term(1), readContext: undefined });
      }
      assert.deepEqual(only(solo.messages(), "appendEntries").map(({ to, prev }) => [to, prev]), [[n(3), noEntry]]);
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

describe("Raft §5.4, safety", () => {
  test("§5.4.1: a request for a vote carries the candidate's last entry", () => {
    const solo = candidate({ log: [1, 2, 2] });
    assert.ok(only(solo.messages(), "voteRequest").every(({ lastEntry }) => lastEntry.index === 3 && lastEntry.term === 2));
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
      assert.deepEqual(only(solo.messages(), "voteResponse").map((response) => response.granted), [granted]);
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
    assert.deepEqual(only(solo.messages(), "appendAccepted").map(({ match }) => match), [2], "it tells what it has");
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
    assert.deepEqual(request?.entries.map(({ kind, term: of, data }) => [kind, of, data.length]), [["empty", 2, 0]]);
    assert.equal(solo.acknowledge(n(2)).status.commit, 3);
  });

  test("§8: a leader that has not heard a majority since does not answer a read", () => {
    const solo = new Solo().elected();
    assert.equal(solo.node.readIndex(context(7)).kind, "accepted");
    assert.deepEqual(solo.run().readStates, []);
  });
});

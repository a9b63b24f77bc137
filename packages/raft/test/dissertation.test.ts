/** The rules of Ongaro's dissertation "Consensus: Bridging Theory and Practice" that go beyond the paper. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RaftConfig } from "../src/config.ts";
import type { Message } from "../src/messages.ts";
import { type EntryId, logIndex, noEntry, type ReadContext, term } from "../src/types.ts";
import { at, context, electionTicks, entries, n, Solo, type SoloOptions } from "./solo.ts";

function only<Kind extends Message["kind"]>(messages: readonly Message[], kind: Kind): Extract<Message, { kind: Kind }>[] {
  return messages.filter((message): message is Extract<Message, { kind: Kind }> => message.kind === kind);
}

function heartbeat(ofTerm: number, commit = 0): Message {
  return { kind: "heartbeat", from: n(2), to: n(1), term: term(ofTerm), commit: logIndex(commit), readContext: undefined };
}

function answer(from: number, solo: Solo, readContext?: ReadContext): Message {
  return { kind: "heartbeatResponse", from: n(from), to: n(1), term: solo.status.term, readContext };
}

function voteRequest(ofTerm: number, cause: "timeout" | "transfer"): Message {
  const leadershipTransfer = cause === "transfer";
  return { kind: "voteRequest", from: n(3), to: n(1), term: term(ofTerm), lastEntry: at(99, 99), leadershipTransfer };
}

function preVoteRequest(ofTerm: number, lastEntry: EntryId = at(99, 99)): Message {
  return { kind: "preVoteRequest", from: n(3), to: n(1), term: term(ofTerm), lastEntry };
}

/** A follower of node 2 in the term given. */
function following(ofTerm: number, options: SoloOptions = {}): Solo {
  const solo = new Solo({ term: ofTerm, ...options }).step(heartbeat(ofTerm));
  solo.run();
  return solo;
}

function leading(config: Partial<RaftConfig> = {}): Solo {
  return new Solo({ config }).elected();
}

describe("Diss. §3.10, leadership transfer", () => {
  test("§3.10: the leader stops taking proposals", () => {
    const solo = leading();
    assert.deepEqual(solo.node.transferLeadership(n(2)), { kind: "accepted" });
    assert.deepEqual(solo.propose("x"), { kind: "dropped", because: "transferring" });
  });

  test("§3.10: it brings the target's log up to its own, then tells it to campaign, once", () => {
    const solo = leading();
    solo.propose("x");
    solo.run();
    solo.node.transferLeadership(n(2));
    assert.deepEqual(only(solo.messages(), "timeoutNow"), []);
    solo.acknowledge(n(2));
    assert.deepEqual(only(solo.messages(), "timeoutNow").map(({ to }) => to), [n(2)]);
    solo.acknowledge(n(2));
    assert.deepEqual(only(solo.messages(), "timeoutNow"), []);
  });

  test("§3.10: the target campaigns at once, in a new term, and says that the leader wants it", () => {
    const solo = following(4).step({ kind: "timeoutNow", from: n(2), to: n(1), term: term(4) });
    const requests = only(solo.messages(), "voteRequest");
    assert.deepEqual(requests.map((request) => [request.to, request.term, request.leadershipTransfer]), [
      [n(2), 5, true],
      [n(3), 5, true],
    ]);
  });

  test("§3.10: only the leader can call for that", () => {
    const solo = following(4).step({ kind: "timeoutNow", from: n(3), to: n(1), term: term(4) });
    assert.equal(solo.status.role, "follower");
  });

  test("§3.10: if it takes an election timeout the leader goes on as before", () => {
    const solo = leading();
    solo.node.transferLeadership(n(2));
    for (let tick = 0; tick < electionTicks; tick += 1) {
      assert.equal(solo.propose("x").kind, "dropped");
      solo.tick().step(answer(3, solo));
    }
    assert.equal(solo.propose("x").kind, "accepted");
  });

  test("§3.10: a transfer needs a leader, another member, and to be the only one", () => {
    const solo = leading();
    assert.deepEqual(following(1).node.transferLeadership(n(2)), { kind: "dropped", because: "notLeader" });
    assert.deepEqual(solo.node.transferLeadership(n(1)), { kind: "dropped", because: "alreadyLeader" });
    assert.deepEqual(solo.node.transferLeadership(n(9)), { kind: "dropped", because: "notMember" });
    solo.node.transferLeadership(n(2));
    assert.deepEqual(solo.node.transferLeadership(n(3)), { kind: "dropped", because: "transferring" });
    assert.deepEqual(solo.node.transferLeadership(n(2)), { kind: "accepted" });
  });
});

describe("Diss. §4.2.3, disruptive servers", () => {
  test("§4.2.3: a request for a vote within the least election timeout of hearing a leader changes nothing", () => {
    const solo = following(4).tick(electionTicks - 1).step(voteRequest(9, "timeout"));
    assert.equal(solo.status.term, 4);
    assert.deepEqual(solo.messages(), []);
  });

  test("§4.2.3: a leader does not let itself be unseated either", () => {
    const solo = leading().step(voteRequest(9, "timeout"));
    assert.equal(solo.status.role, "leader");
    assert.equal(solo.status.term, 1);
  });

  test("§4.2.3: later than that it counts, although this node itself would wait longer", () => {
    const solo = following(4, { config: { random: () => 5 } }).tick(electionTicks).step(voteRequest(9, "timeout"));
    assert.equal(solo.status.term, 9);
    assert.deepEqual(only(solo.messages(), "voteResponse").map(({ granted }) => granted), [true]);
  });

  test("§4.2.3: a request that the leader asked for counts at once", () => {
    for (const solo of [following(4), leading()]) {
      solo.step(voteRequest(9, "transfer"));
      assert.equal(solo.status.role, "follower");
      assert.deepEqual(only(solo.messages(), "voteResponse").map(({ granted }) => granted), [true]);
    }
  });
});

describe("Diss. §6.2, a leader without a quorum", () => {
  test("§6.2: it steps down when no majority was heard for an election timeout", () => {
    const solo = leading().tick(electionTicks);
    assert.equal(solo.status.role, "leader");
    assert.equal(solo.tick().status.role, "follower");
    assert.equal(solo.status.term, 1);
    assert.equal(solo.status.leader, undefined);
  });

  test("§6.2: one follower of two is enough", () => {
    const solo = leading();
    for (let tick = 0; tick < 3 * electionTicks; tick += 1) solo.tick().step(answer(3, solo));
    assert.equal(solo.status.role, "leader");
    assert.equal(solo.status.followers.get(n(2))?.recentlyActive, false);
    assert.equal(solo.status.followers.get(n(3))?.recentlyActive, true);
  });

  test("§6.2: the only member of a cluster never loses its quorum", () => {
    const solo = new Solo({ voters: [1] }).tick(5 * electionTicks);
    assert.equal(solo.status.role, "leader");
  });
});

describe("Diss. §6.4, linearizable reads", () => {
  test("§6.4: a leader that has not committed in its term lets reads wait until it has", () => {
    const solo = new Solo({ log: [1], commit: 1 }).elect();
    solo.run();
    solo.node.readIndex(context(7));
    solo.step(answer(2, solo, context(7)));
    assert.deepEqual(solo.run().readStates, []);
    solo.acknowledge(n(2));
    const [round] = only(solo.messages(), "heartbeat");
    assert.equal(round?.readContext, context(7), "the round begins when the index is known");
    solo.step(answer(2, solo, context(7)));
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 2 }]);
  });

  test("§6.4: a round of heartbeats leaves at once, and a majority confirms", () => {
    const solo = new Solo({ voters: [1, 2, 3, 4, 5] }).elected();
    solo.node.readIndex(context(7));
    const round = only(solo.messages(), "heartbeat");
    assert.deepEqual(round.map(({ to, readContext }) => [to, readContext]), [2, 3, 4, 5].map((id) => [n(id), context(7)]));
    solo.step(answer(2, solo, context(7))).step(answer(2, solo, context(7)));
    assert.deepEqual(solo.run().readStates, [], "two of five");
    solo.step(answer(3, solo, context(7)));
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 1 }]);
  });

  test("§6.4: answers to earlier heartbeats confirm nothing", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.step(answer(2, solo)).step(answer(3, solo, context(6)));
    assert.deepEqual(solo.run().readStates, []);
  });

  test("§6.4: reads that arrive together share a round, and later ones need another", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.node.readIndex(context(8));
    assert.deepEqual(only(solo.messages(), "heartbeat").map(({ readContext }) => readContext), [context(8), context(8)]);
    solo.node.readIndex(context(9));
    solo.run();
    solo.step(answer(2, solo, context(8)));
    assert.deepEqual(solo.run().readStates.map((state) => state.context), [context(7), context(8)]);
    solo.step(answer(3, solo, context(9)));
    assert.deepEqual(solo.run().readStates.map((state) => state.context), [context(9)]);
  });

  test("§6.4: a lost round is repeated with the next heartbeat", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.run();
    assert.deepEqual(only(solo.tick().messages(), "heartbeat").map(({ readContext }) => readContext), [context(7), context(7)]);
  });

  test("§6.4: the read index is the commit index when the read arrived", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.propose("x");
    solo.run();
    solo.acknowledge(n(2)).step(answer(2, solo, context(7)));
    assert.equal(solo.status.commit, 2);
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 1 }]);
  });

  test("§6.4: alone in a cluster no round is needed", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    solo.run();
    solo.node.readIndex(context(7));
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 1 }]);
  });

  test("§6.4: a follower asks its leader, and serves the read itself", () => {
    const solo = following(4);
    assert.deepEqual(solo.node.readIndex(context(7)), { kind: "accepted" });
    assert.deepEqual(only(solo.messages(), "readIndexRequest").map((request) => [request.to, request.context]), [[n(2), context(7)]]);
    const response: Message = {
      kind: "readIndexResponse",
      from: n(2),
      to: n(1),
      term: term(4),
      context: context(7),
      index: logIndex(12),
    };
    assert.deepEqual(solo.step(response).run().readStates, [{ context: context(7), index: 12 }]);
    assert.deepEqual(solo.step(response).run().readStates, [], "once");
  });

  test("§6.4: a leader answers a follower's request when a majority has confirmed, even if it came twice", () => {
    const solo = leading();
    const request: Message = { kind: "readIndexRequest", from: n(3), to: n(1), term: term(1), context: context(7) };
    solo.step(request).step(request);
    solo.run();
    solo.step(answer(2, solo, context(7)));
    const responses = only(solo.messages(), "readIndexResponse");
    assert.deepEqual(responses.map(({ to, index }) => [to, index]), [[n(3), 1]]);
  });

  test("§6.4: reads of a leader that steps down are dropped", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.step({ kind: "readIndexRequest", from: n(3), to: n(1), term: term(1), context: context(8) });
    solo.step(heartbeat(2));
    assert.deepEqual(solo.run().droppedReads, [context(7)], "the other one's reader finds out by itself");
  });

  test("§6.4: reads of a follower are dropped when its leader is gone, or does not answer", () => {
    const changed = following(4);
    changed.node.readIndex(context(7));
    changed.step(heartbeat(5));
    assert.deepEqual(changed.run().droppedReads, [context(7)]);

    const unanswered = following(4);
    unanswered.node.readIndex(context(7));
    for (let tick = 0; tick <= electionTicks; tick += 1) unanswered.tick().step(heartbeat(4));
    assert.deepEqual(unanswered.run().droppedReads, [context(7)]);
  });

  test("§6.4: without a leader there is nobody to ask", () => {
    assert.deepEqual(new Solo().node.readIndex(context(7)), { kind: "dropped", because: "noLeader" });
  });
});

describe("Diss. §9.6, pre-vote", () => {
  test("§9.6: a node asks first, and keeps its term and its vote meanwhile", () => {
    const solo = new Solo({ term: 4, votedFor: 3 }).tick(electionTicks);
    const requests = only(solo.messages(), "preVoteRequest");
    assert.deepEqual(requests.map((request) => [request.to, request.term]), [
      [n(2), 5],
      [n(3), 5],
    ]);
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
    const granted = (solo: Solo): readonly boolean[] => only(solo.messages(), "preVoteResponse").map((one) => one.granted);
    assert.deepEqual(granted(following(4).step(preVoteRequest(5))), [false]);
    assert.deepEqual(granted(leading().step(preVoteRequest(5))), [false]);
    assert.deepEqual(granted(new Solo({ log: [1, 4] }).step(preVoteRequest(5, at(9, 1)))), [false]);
    assert.deepEqual(granted(following(4).tick(electionTicks).step(preVoteRequest(5))), [true], "no leader heard any more");
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

describe("Diss. §10.2, parallel writes, batches and pipelines", () => {
  test("§10.2.1: a leader sends before its own disk has answered, and counts itself only after", () => {
    const solo = leading();
    solo.propose("x");
    const { messages, persist } = solo.ready();
    assert.equal(only(messages, "appendEntries").length, 2);
    assert.deepEqual(persist?.thenSend, []);
    solo.acknowledge(n(3));
    assert.equal(solo.status.commit, 1);
    solo.persist(persist);
    assert.equal(solo.status.commit, 2);
  });

  test("§10.2.1: a majority of followers commits without the leader's disk", () => {
    const solo = leading();
    solo.propose("x");
    solo.ready();
    solo.acknowledge(n(2)).acknowledge(n(3));
    assert.equal(solo.status.commit, 2);
    assert.deepEqual(solo.ready().committed.map(({ index }) => index), [2]);
  });

  test("§10.2.1: an answer that needs nothing from the disk does not wait for it", () => {
    const solo = following(4).step({
      kind: "appendEntries",
      from: n(2),
      to: n(1),
      term: term(4),
      prev: noEntry,
      entries: entries([4]),
      commit: logIndex(0),
    });
    solo.step(heartbeat(4));
    assert.deepEqual(solo.ready().messages.map(({ kind }) => kind), ["heartbeatResponse"]);
  });

  test("§10.2.2: all proposals of a turn share one append", () => {
    const solo = leading();
    for (const data of ["a", "b"]) solo.propose(data);
    solo.propose("c", "d");
    const appends = only(solo.ready().messages, "appendEntries");
    assert.deepEqual(appends.map((append) => append.entries.length), [4, 4]);
  });

  test("§10.2.2: large batches are cut at the limit of bytes", () => {
    const solo = leading({ maxAppendBytes: 5 });
    solo.propose("aaa", "bb", "c", "dddddddd", "e");
    const appends = only(solo.ready().messages, "appendEntries").filter(({ to }) => to === n(2));
    assert.deepEqual(appends.map((append) => append.entries.map(({ data }) => data.length)), [[3, 2], [1], [8], [1]]);
  });

  test("§10.2.2: appends follow each other without waiting for answers, as far as the window allows", () => {
    const solo = leading({ maxInflightMessages: 2 });
    const sent = [1, 2, 3].map((data) => {
      solo.propose(String(data));
      return only(solo.messages(), "appendEntries").filter(({ to }) => to === n(2)).length;
    });
    assert.deepEqual(sent, [1, 1, 0]);
    solo.acknowledge(n(2), 2);
    const [next] = only(solo.messages(), "appendEntries").filter(({ to }) => to === n(2));
    assert.deepEqual(next?.entries.map(({ index }) => index), [4]);
  });

  test("§10.2.2: what was lost in the pipeline is found out and sent again", () => {
    const solo = leading();
    solo.propose("lost");
    solo.run();
    solo.tick().step(answer(2, solo));
    assert.deepEqual(only(solo.messages(), "appendEntries"), []);
    solo.tick().step(answer(2, solo));
    const [question] = only(solo.messages(), "appendEntries");
    assert.deepEqual([question?.prev, question?.entries.length], [at(2, 1), 0]);
    solo.step({ kind: "appendRejected", from: n(2), to: n(1), term: term(1), prevIndex: logIndex(2), hint: at(1, 1) });
    const [again] = only(solo.messages(), "appendEntries");
    assert.deepEqual(again?.entries.map(({ index }) => index), [2]);
  });
});

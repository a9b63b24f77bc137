/** What the papers do not say: limits, and the agreement with the driver. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantViolation } from "../src/assert.ts";
import type { AppendEntries } from "../src/messages.ts";
import { logIndex, noEntry, term } from "../src/types.ts";
import { at, bytes, context, electionTicks, entries, members, n, Solo } from "./solo.ts";

const append: AppendEntries = {
  kind: "appendEntries",
  from: n(2),
  to: n(1),
  term: term(1),
  prev: noEntry,
  entries: entries([1]),
  commit: logIndex(0),
};

describe("limits", () => {
  test("a leader accepts only so many uncommitted bytes, and more once they are committed", () => {
    const solo = new Solo({ config: { maxUncommittedBytes: 10 } }).elected();
    assert.equal(solo.propose("12345678").kind, "accepted");
    assert.deepEqual(solo.propose("12", "3"), { kind: "dropped", because: "uncommittedLimit" });
    assert.equal(solo.status.lastIndex, 2, "all are taken or none");
    assert.equal(solo.propose("12").kind, "accepted");
    solo.run();
    solo.acknowledge(n(2));
    assert.equal(solo.propose("x").kind, "dropped", "committed and not handed out still counts");
    solo.run();
    assert.equal(solo.propose("1234567890").kind, "accepted");
  });

  test("when nothing is uncommitted a proposal of any size is accepted", () => {
    const solo = new Solo({ config: { maxUncommittedBytes: 10 } }).elected();
    assert.equal(solo.propose("a proposal larger than the limit").kind, "accepted");
    assert.equal(solo.propose("x").kind, "dropped");
  });

  test("a full window of a silent follower holds back everything but the question whether it was lost", () => {
    const solo = new Solo({ config: { maxInflightMessages: 1 } }).elected();
    for (const data of ["a", "b"]) solo.propose(data);
    solo.run();
    solo.propose("c");
    assert.deepEqual(solo.messages(), []);
    for (let beat = 0; beat < 2; beat += 1) {
      solo
        .tick()
        .step({ kind: "heartbeatResponse", from: n(2), to: n(1), term: term(1), readRound: undefined });
    }
    const appends = solo.messages().filter((message) => message.kind === "appendEntries");
    assert.deepEqual(
      appends.map(({ to, prev, entries: sent }) => [to, prev.index, sent.length]),
      [[n(2), 3, 0]],
    );
  });

  test("committed entries are handed out in portions", () => {
    const solo = new Solo({ config: { maxCommittedBytes: 2 } });
    solo.step({ ...append, entries: entries([1, 1, 1]), commit: logIndex(3) });
    solo.persist(solo.ready().persist);
    assert.deepEqual(
      solo.ready().committed.map(({ index }) => index),
      [1, 2],
    );
    assert.ok(solo.node.hasReady());
    assert.deepEqual(
      solo.ready().committed.map(({ index }) => index),
      [3],
    );
  });

  test("a leader lets only so many rounds of reads wait", () => {
    const solo = new Solo().elected();
    for (let value = 1; value <= 2000; value += 1) solo.node.readIndex(context(value));
    solo.run();
    solo.step({ kind: "heartbeatResponse", from: n(2), to: n(1), term: term(1), readRound: 1024 });
    assert.equal(solo.run().readStates.length, 1024);
  });
});

describe("what the driver relies on", () => {
  test("a heartbeat commits no more than the follower is known to store", () => {
    const solo = new Solo().elect();
    solo.run();
    solo.acknowledge(n(2));
    solo.run();
    const heartbeats = solo
      .tick()
      .messages()
      .filter((message) => message.kind === "heartbeat");
    assert.deepEqual(
      heartbeats.map(({ to, commit }) => [to, commit]),
      [
        [n(2), 1],
        [n(3), 0],
      ],
    );
  });

  test("a commit index that moves alone writes nothing, and rides with the next batch", () => {
    const solo = new Solo({ term: 1 }).step({ ...append, entries: entries([1, 1]) });
    solo.run();
    solo.step({ ...append, prev: at(2, 1), entries: [], commit: logIndex(2) });
    const { persist, messages } = solo.ready();
    assert.equal(persist, undefined);
    assert.equal(messages.length, 1, "and its acknowledgement leaves at once");
    solo.step({ ...append, prev: at(2, 1), entries: entries([1], 3), commit: logIndex(2) });
    assert.equal(solo.ready().persist?.hardState?.commit, 2);
  });

  test("a batch of entries alone carries no hard state", () => {
    const solo = new Solo({ term: 1 }).step(append);
    assert.equal(solo.ready().persist?.hardState, undefined);
  });

  test("while the state machine is full nothing is given out to be applied, and everything else flows on", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    while (solo.node.hasReady("full")) {
      const ready = solo.node.ready("full");
      assert.deepEqual(ready.committed, []);
      if (ready.persist !== undefined) solo.persist(ready.persist);
    }
    assert.equal(solo.status.commit, 1);
    assert.ok(solo.node.hasReady("open"));
    assert.deepEqual(
      solo.run().committed.map(({ index }) => index),
      [1],
    );
  });

  test("batches are numbered from one, and only the one that is out can be confirmed", () => {
    const solo = new Solo().step(append);
    const { persist } = solo.ready();
    assert.equal(persist?.id, 1);
    assert.throws(() => {
      solo.node.persisted(2);
    }, InvariantViolation);
    solo.persist(persist);
    assert.throws(() => {
      solo.node.persisted(1);
    }, InvariantViolation);
  });

  test("a change of role, term or leader is told once", () => {
    const solo = new Solo();
    assert.equal(solo.ready().softState, undefined);
    solo.step(append);
    assert.ok(solo.node.hasReady());
    assert.deepEqual(solo.ready().softState, { role: "follower", term: 1, leader: n(2) });
    assert.equal(solo.ready().softState, undefined);
  });

  test("a change of who takes part is told once, even while nothing can be written or sent", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    solo.run();
    solo.propose("x");
    solo.ready();
    solo.reconfigure();
    assert.ok(solo.node.hasReady());
    assert.equal(solo.ready().configuration?.index, 3);
    assert.equal(solo.ready().configuration, undefined);
    assert.equal(solo.node.hasReady(), false);
  });

  test("a restart hands out what was not applied, up to the stored commit index", () => {
    const solo = new Solo({ log: [1, 1, 1], commit: 2, applied: 1 });
    assert.deepEqual(
      solo.run().committed.map(({ index }) => index),
      [2],
    );
  });

  test("a state machine that is ahead of the stored commit index is believed", () => {
    const solo = new Solo({ log: [1, 1, 1], commit: 0, applied: 2 });
    assert.equal(solo.status.commit, 2);
    assert.deepEqual(solo.run().committed, []);
  });

  test("a node that is not a voter never campaigns", () => {
    const solo = new Solo({ voters: [2, 3] }).tick(10 * electionTicks);
    solo.node.campaign();
    assert.equal(solo.status.role, "follower");
  });

  test("a node does not start with a configuration that can be none", () => {
    assert.throws(() => new Solo({ configuration: members([1, 1]) }), InvariantViolation);
    assert.throws(() => new Solo({ configuration: members([1, 2], { learners: [2] }) }), InvariantViolation);
  });

  test("a campaign can be asked for, and begins with a pre-vote", () => {
    const solo = new Solo();
    solo.node.campaign();
    assert.equal(solo.status.role, "preCandidate");
  });

  test("a pre-candidate that votes for another waits for its success", () => {
    const solo = new Solo({ term: 1 }).tick(electionTicks);
    solo.step({
      kind: "voteRequest",
      from: n(2),
      to: n(1),
      term: term(1),
      lastEntry: noEntry,
      leadershipTransfer: false,
    });
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.tick(electionTicks - 1).status.role, "follower");
  });

  test("the trace tells when a follower is found and when it is lost", () => {
    const solo = new Solo().elected();
    const before = solo.trace
      .filter((event) => event.kind === "followerReplicates")
      .map(({ follower }) => follower);
    assert.deepEqual(before, [n(2), n(3)]);
    solo.propose("x");
    solo.run();
    solo.acknowledge(n(2));
    solo.step({
      kind: "appendRejected",
      from: n(3),
      to: n(1),
      term: term(1),
      prevIndex: logIndex(2),
      hint: at(1, 1),
    });
    const kinds = solo.trace.slice(-2).map((event) => event.kind);
    assert.deepEqual(kinds, ["committed", "followerProbed"]);
    assert.equal(solo.status.followers.get(n(3))?.state, "probe");
  });

  test("the data of an entry is the caller's bytes, unchanged", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    solo.persist(solo.ready().persist);
    solo.propose("", "x");
    assert.deepEqual(
      solo.run().committed.map(({ kind, data }) => [kind, data]),
      [
        ["empty", bytes("")],
        ["command", bytes("")],
        ["command", bytes("x")],
      ],
    );
  });
});

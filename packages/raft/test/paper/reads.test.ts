/** Diss. §6.4: linearizable reads without a log entry. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "../../src/messages.ts";
import { logIndex, term } from "../../src/types.ts";
import { context, electionTicks, n, Solo } from "../solo.ts";
import { answer, following, heartbeat, leading, only } from "./members.ts";

describe("Diss. §6.4, linearizable reads", () => {
  test("§6.4: a leader that has not committed in its term lets reads wait until it has", () => {
    const solo = new Solo({ log: [1], commit: 1 }).elect();
    solo.run();
    solo.node.readIndex(context(7));
    solo.step(answer(2, solo, 1));
    assert.deepEqual(solo.run().readStates, []);
    solo.acknowledge(n(2));
    const [round] = only(solo.messages(), "heartbeat");
    assert.equal(round?.readRound, 1, "the round begins when the index is known");
    solo.step(answer(2, solo, 1));
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 2 }]);
  });

  test("§6.4: a round of heartbeats leaves at once, and a majority confirms", () => {
    const solo = new Solo({ voters: [1, 2, 3, 4, 5] }).elected();
    solo.node.readIndex(context(7));
    const round = only(solo.messages(), "heartbeat");
    assert.deepEqual(
      round.map(({ to, readRound }) => [to, readRound]),
      [2, 3, 4, 5].map((id) => [n(id), 1]),
    );
    solo.step(answer(2, solo, 1)).step(answer(2, solo, 1));
    assert.deepEqual(solo.run().readStates, [], "two of five");
    solo.step(answer(3, solo, 1));
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 1 }]);
  });

  test("§6.4: answers to earlier heartbeats confirm nothing", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.step(answer(2, solo)).step(answer(3, solo, 2));
    assert.deepEqual(solo.run().readStates, []);
  });

  test("§6.4: reads that arrive together share a round, and later ones need another", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.node.readIndex(context(8));
    assert.deepEqual(
      only(solo.messages(), "heartbeat").map(({ readRound }) => readRound),
      [2, 2],
    );
    solo.node.readIndex(context(9));
    solo.run();
    solo.step(answer(2, solo, 2));
    assert.deepEqual(
      solo.run().readStates.map((state) => state.context),
      [context(7), context(8)],
    );
    solo.step(answer(3, solo, 3));
    assert.deepEqual(
      solo.run().readStates.map((state) => state.context),
      [context(9)],
    );
  });

  test("§6.4: answers may come in any order, and a later one stands for those before", () => {
    const solo = new Solo({ voters: [1, 2, 3, 4, 5] }).elected();
    for (const value of [7, 8]) solo.node.readIndex(context(value));
    solo.run();
    solo
      .step(answer(2, solo, 2))
      .step(answer(2, solo, 1))
      .step(answer(3, solo, 2));
    assert.deepEqual(
      solo.run().readStates.map((state) => state.context),
      [context(7), context(8)],
    );
  });

  test("§6.4: a lost round is repeated with the next heartbeat", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.run();
    assert.deepEqual(
      only(solo.tick().messages(), "heartbeat").map(({ readRound }) => readRound),
      [1, 1],
    );
  });

  test("§6.4: the read index is the commit index when the read arrived", () => {
    const solo = leading();
    solo.node.readIndex(context(7));
    solo.propose("x");
    solo.run();
    solo.acknowledge(n(2)).step(answer(2, solo, 1));
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
    assert.deepEqual(
      only(solo.messages(), "readIndexRequest").map((request) => [request.to, request.context]),
      [[n(2), context(7)]],
    );
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
    const request: Message = {
      kind: "readIndexRequest",
      from: n(3),
      to: n(1),
      term: term(1),
      context: context(7),
    };
    solo.step(request).step(request);
    const round = only(solo.messages(), "heartbeat").at(-1)?.readRound;
    solo.step(answer(2, solo, round));
    const responses = only(solo.messages(), "readIndexResponse");
    assert.deepEqual(
      responses.map(({ to, index }) => [to, index]),
      [[n(3), 1]],
    );
  });

  test("§6.4: a request that came twice before the leader has committed in its term is answered once", () => {
    const solo = new Solo({ log: [1], commit: 1 }).elect();
    solo.run();
    const request: Message = {
      kind: "readIndexRequest",
      from: n(3),
      to: n(1),
      term: solo.status.term,
      context: context(7),
    };
    solo.step(request).step(request).acknowledge(n(2));
    const round = only(solo.messages(), "heartbeat").at(-1)?.readRound;
    solo.step(answer(2, solo, round));
    const responses = only(solo.messages(), "readIndexResponse");
    assert.deepEqual(
      responses.map(({ to, index }) => [to, index]),
      [[n(3), 2]],
    );
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

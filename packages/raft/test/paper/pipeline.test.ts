/** Diss. §10.2: writing in parallel, batching and pipelining. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { logIndex, noEntry, term } from "../../src/types.ts";
import { at, entries, n } from "../solo.ts";
import { answer, following, heartbeat, leading, only } from "./members.ts";

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
    const { persist } = solo.ready();
    solo.acknowledge(n(2)).acknowledge(n(3));
    assert.equal(solo.status.commit, 2);
    assert.deepEqual(solo.ready().committed, [], "it is applied once this disk has it, too");
    solo.persist(persist);
    assert.deepEqual(
      solo.ready().committed.map(({ index }) => index),
      [2],
    );
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
    assert.deepEqual(
      solo.ready().messages.map(({ kind }) => kind),
      ["heartbeatResponse"],
    );
  });

  test("§10.2.2: all proposals of a turn share one append", () => {
    const solo = leading();
    for (const data of ["a", "b"]) solo.propose(data);
    solo.propose("c", "d");
    const appends = only(solo.ready().messages, "appendEntries");
    assert.deepEqual(
      appends.map((append) => append.entries.length),
      [4, 4],
    );
  });

  test("§10.2.2: large batches are cut at the limit of bytes", () => {
    const solo = leading({ maxAppendBytes: 5 });
    solo.propose("aaa", "bb", "c", "dddddddd", "e");
    const appends = only(solo.ready().messages, "appendEntries").filter(({ to }) => to === n(2));
    assert.deepEqual(
      appends.map((append) => append.entries.map(({ data }) => data.length)),
      [[3, 2], [1], [8], [1]],
    );
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
    assert.deepEqual(
      next?.entries.map(({ index }) => index),
      [4],
    );
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
    solo.step({
      kind: "appendRejected",
      from: n(2),
      to: n(1),
      term: term(1),
      prevIndex: logIndex(2),
      hint: at(1, 1),
    });
    const [again] = only(solo.messages(), "appendEntries");
    assert.deepEqual(
      again?.entries.map(({ index }) => index),
      [2],
    );
  });
});

/**
 * Raft §7 and Fig. 13, Diss. §5: one test for each rule about logs that drop their beginning, and
 * snapshots.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatConfiguration } from "../../src/format.ts";
import { logIndex, noEntry, term } from "../../src/types.ts";
import { at, electionTicks, members, n, Solo } from "../solo.ts";
import {
  answer,
  append,
  appendConfiguration,
  following,
  heartbeat,
  only,
  received,
  termsOf,
} from "./members.ts";

/** Leads term 2 with a log that begins after 3/1. Nothing but 4/2 is in it, which node 3 has. */
function compactedLeader(): Solo {
  const solo = new Solo({ base: at(3, 1), term: 1 }).elect();
  solo.run();
  solo.acknowledge(n(3)).run();
  return solo;
}

/** Node 2 refuses what it was sent after `prev`. */
function refuse(solo: Solo, prev: number, hint = noEntry): Solo {
  return solo.step({
    kind: "appendRejected",
    from: n(2),
    to: n(1),
    term: solo.status.term,
    prevIndex: logIndex(prev),
    hint,
  });
}

describe("Raft §7, log compaction", () => {
  test("§7: a log that has dropped its beginning still knows the entry before its first", () => {
    const solo = new Solo({ base: at(3, 2), log: [2, 3] });
    assert.deepEqual([solo.status.commit, solo.status.applied, solo.status.lastIndex], [3, 3, 5]);
    assert.deepEqual(
      [2, 3, 4, 5, 6].map((index) => solo.node.termAt(logIndex(index))),
      [undefined, 2, 2, 3, undefined],
    );
    solo.step(append({ term: 3, prev: at(3, 2), terms: [2, 3, 3], commit: 4 }));
    assert.deepEqual(
      solo.run().committed.map(({ index }) => index),
      [4],
      "what was dropped is applied already",
    );
  });

  test("§7: it is compared by that entry when it asks for votes, and when it gives one", () => {
    const solo = new Solo({ base: at(3, 2) }).tick(electionTicks);
    assert.deepEqual(
      only(solo.messages(), "preVoteRequest").map(({ lastEntry }) => lastEntry),
      [at(3, 2), at(3, 2)],
    );
  });

  test("§7: appends from before its beginning are answered with what is committed", () => {
    const solo = new Solo({ base: at(3, 2) }).step(append({ term: 2, prev: at(1, 1), terms: [2, 2] }));
    assert.deepEqual(
      only(solo.messages(), "appendAccepted").map(({ match }) => match),
      [3],
    );
    assert.equal(solo.status.lastIndex, 3);
  });

  test("§7: the latest configuration as of the last dropped entry is kept", () => {
    const solo = new Solo({ base: at(3, 2), configuration: members([1, 2]) });
    assert.deepEqual(solo.status.configuration, { index: 3, configuration: members([1, 2]) });
    solo.step(appendConfiguration({ term: 3, prev: at(3, 2) }, members([1, 2, 4])));
    solo.step(append({ from: 3, term: 4, prev: at(3, 2), terms: [4] }));
    assert.equal(solo.status.configuration.index, 3, "and is there to fall back to");
  });

  test("§7: a leader sends a snapshot when it has discarded the next entry that a follower needs", () => {
    const solo = compactedLeader();
    assert.deepEqual(solo.run().snapshotsTo, []);
    refuse(solo, 3, at(1, 1));
    const work = solo.run();
    assert.deepEqual(work.snapshotsTo, [n(2)]);
    assert.deepEqual(work.messages, [], "and nothing else meanwhile");
    solo.propose("x");
    assert.deepEqual(
      only(solo.messages(), "appendEntries").map(({ to }) => to),
      [n(3)],
    );
    assert.deepEqual(solo.run().snapshotsTo, [], "it is asked for once");
  });

  test("§7: a follower that has the entry before the first is sent entries, however little is left", () => {
    const solo = compactedLeader();
    refuse(solo, 4);
    assert.deepEqual(solo.run().snapshotsTo, []);
    assert.equal(solo.acknowledge(n(2), 3).status.followers.get(n(2))?.state, "replicate");
  });

  test("§7: when the snapshot is acknowledged replication goes on behind it", () => {
    const solo = refuse(compactedLeader(), 3);
    solo.run();
    solo.propose("x");
    solo.run();
    solo.acknowledge(n(2), 4);
    assert.deepEqual(
      only(solo.messages(), "appendEntries").map(({ to, prev, entries }) => [to, prev.index, entries.length]),
      [[n(2), 4, 1]],
    );
  });

  test("an answer from before the snapshot was asked for does not end the wait for it", () => {
    const solo = refuse(compactedLeader(), 3);
    solo.run();
    solo.acknowledge(n(2), 2);
    assert.equal(solo.status.followers.get(n(2))?.state, "snapshot");
    assert.equal(solo.status.followers.get(n(2))?.match, 2);
    assert.deepEqual(only(solo.messages(), "appendEntries"), []);
    refuse(solo, 3).step(answer(2, solo));
    assert.deepEqual(solo.run().snapshotsTo, [], "nor does a refusal ask for another");
    solo.acknowledge(n(2), 3);
    assert.equal(solo.status.followers.get(n(2))?.state, "replicate", "3 is where the log begins");
  });

  test("what the follower needs is asked anew when a transfer has failed", () => {
    const solo = refuse(compactedLeader(), 3);
    solo.run();
    solo.node.snapshotFailed(n(2));
    assert.deepEqual(
      only(solo.messages(), "appendEntries").map(({ to, prev }) => [to, prev]),
      [[n(2), at(3, 1)]],
    );
    refuse(solo, 3);
    assert.deepEqual(solo.run().snapshotsTo, [n(2)]);
    solo.node.snapshotFailed(n(2));
    solo.run();
    solo.acknowledge(n(2), 3).run();
    assert.equal(solo.status.followers.get(n(2))?.state, "replicate", "it had arrived after all");
    solo.node.snapshotFailed(n(2));
    solo.node.snapshotFailed(n(9));
    assert.equal(solo.status.followers.get(n(2))?.state, "replicate", "nobody waits for one any more");
  });

  test("the question is asked even if there is no entry to ask it with, and again if it may be lost", () => {
    const solo = refuse(compactedLeader(), 3);
    solo.run();
    solo.disk.drop(logIndex(4));
    solo.node.snapshotFailed(n(2));
    for (let beat = 0; beat < 3; beat += 1) {
      assert.deepEqual(
        only(solo.messages(), "appendEntries").map(({ to, prev, entries }) => [to, prev, entries.length]),
        [[n(2), at(4, 2), 0]],
      );
      solo.tick().run();
      solo.step(answer(2, solo));
    }
  });
});

describe("Raft Fig. 13, InstallSnapshot", () => {
  test("Fig. 13, 1: it is refused if its term is smaller than ours", () => {
    const solo = new Solo({ term: 4 });
    assert.equal(solo.receive(received(at(9, 2), { term: 3 })), false);
    assert.deepEqual([solo.status.commit, solo.status.leader], [0, undefined]);
    assert.equal(solo.node.hasReady(), false);
  });

  test("§5.1: a larger term is taken over, and its sender leads it", () => {
    for (const solo of [
      new Solo({ term: 4 }),
      new Solo({ term: 4 }).tick(electionTicks),
      new Solo().elected(),
    ]) {
      assert.equal(solo.receive(received(at(9, 2), { term: 5 })), true);
      assert.deepEqual([solo.status.term, solo.status.leader, solo.status.role], [5, n(2), "follower"]);
    }
  });

  test("§5.2: who campaigns in its term follows its sender; who follows another stops", () => {
    const solo = new Solo({ term: 4 }).tick(electionTicks);
    assert.equal(solo.receive(received(at(9, 2), { term: 4 })), true);
    assert.deepEqual([solo.status.role, solo.status.leader], ["follower", n(2)]);
    const oneLeader = { message: "a term has at most one leader" };
    assert.throws(() => following(4).receive(received(at(9, 2), { term: 4, from: 3 })), oneLeader);
    assert.throws(() => new Solo().elected().receive(received(at(9, 1), { term: 1 })), oneLeader);
  });

  test("Fig. 13, 6: if the log has its last entry, what follows that is kept, and the sender told", () => {
    const solo = new Solo({ log: [1, 2, 2, 2] });
    assert.equal(solo.receive(received(at(3, 2))), false);
    const { committed, messages } = solo.run();
    assert.deepEqual(
      committed.map(({ index }) => index),
      [1, 2, 3],
    );
    assert.deepEqual(termsOf(solo), [1, 2, 2, 2]);
    assert.deepEqual(
      only(messages, "appendAccepted").map(({ match }) => match),
      [3],
    );
  });

  test("Fig. 13, 7: otherwise the entire log is discarded", () => {
    for (const log of [[], [1, 1], [1, 1, 1, 1, 1]]) {
      const solo = new Solo({ log });
      assert.equal(solo.receive(received(at(3, 2))), true);
      assert.deepEqual([solo.status.lastIndex, solo.status.commit], [3, 3]);
      assert.deepEqual(
        [1, 2, 3, 4].map((index) => solo.node.termAt(logIndex(index))),
        [undefined, undefined, 2, undefined],
      );
      solo.run();
      assert.deepEqual([solo.disk.base, solo.disk.terms()], [at(3, 2), []]);
    }
  });

  test("Fig. 13, 8: the state machine begins with it, and so does the configuration", () => {
    const solo = new Solo({ log: [1] });
    solo.step(appendConfiguration({ term: 1, prev: at(1, 1) }, members([1, 2, 4])));
    const configuration = members([1, 2, 3], { learners: [9] });
    solo.receive(received(at(7, 2), { configuration }));
    assert.equal(formatConfiguration(solo.status.configuration.configuration), "voters=1,2,3 learners=9");
    const { committed } = solo.run();
    assert.deepEqual(committed, [], "nothing is left to be applied");
    assert.equal(solo.status.applied, 7);
    solo.step(append({ term: 2, prev: at(7, 2), terms: [2], commit: 8 }));
    assert.deepEqual(
      solo.run().committed.map(({ index }) => index),
      [8],
    );
  });

  test("§7: one that is behind what is committed takes nothing away", () => {
    for (const last of [at(2, 1), at(3, 1)]) {
      const solo = new Solo({ log: [1, 1, 1, 2], commit: 3, applied: 3 });
      assert.equal(solo.receive(received(last, { term: 2 })), false);
      assert.deepEqual(
        only(solo.messages(), "appendAccepted").map(({ match }) => match),
        [3],
      );
      assert.deepEqual(termsOf(solo), [1, 1, 1, 2]);
    }
  });

  test("Fig. 2: it is acknowledged once it is on disk, in place of log and state", () => {
    const solo = new Solo({ log: [1] });
    solo.receive(received(at(5, 2)));
    const { messages, persist } = solo.ready();
    assert.deepEqual(messages, []);
    assert.deepEqual(persist?.snapshot, { last: at(5, 2), configuration: members([1, 2, 3]) });
    assert.deepEqual(persist.hardState, { term: 2, votedFor: undefined, commit: 5 });
    assert.equal(solo.status.applied, 0);
    assert.deepEqual(
      only(solo.persist(persist), "appendAccepted").map(({ match }) => match),
      [5],
    );
    assert.equal(solo.status.applied, 5);
  });

  test("nothing of the old log is handed out from the moment that a snapshot is taken", () => {
    const solo = new Solo({ log: [1, 1], term: 1 });
    solo.step(heartbeat(1, 2));
    solo.receive(received(at(5, 2)));
    const { committed, persist } = solo.ready();
    assert.deepEqual(committed, []);
    solo.persist(persist);
    assert.deepEqual(solo.ready().committed, []);
  });

  test("entries that follow it are written with it or after it, and none without it", () => {
    const solo = new Solo();
    solo.receive(received(at(5, 2)));
    solo.step(append({ term: 2, prev: at(5, 2), terms: [2], commit: 6 }));
    const { persist } = solo.ready();
    assert.deepEqual([persist?.snapshot?.last, persist?.entries.map(({ index }) => index)], [at(5, 2), [6]]);
    solo.step(append({ term: 2, prev: at(6, 2), terms: [2], commit: 7 }));
    assert.deepEqual(
      only(solo.persist(persist), "appendAccepted").map(({ match }) => match),
      [5, 6],
    );
    const { persist: next, committed } = solo.ready();
    assert.deepEqual(
      committed.map(({ index }) => index),
      [6],
      "7 is not on disk",
    );
    assert.deepEqual([next?.snapshot, next?.entries.map(({ index }) => index)], [undefined, [7]]);
  });

  test("a batch of before that ends meanwhile makes nothing of it stored", () => {
    const solo = new Solo({ term: 1 }).step(append({ term: 1, terms: [1, 1] }));
    const before = solo.ready();
    solo.receive(received(at(5, 2)));
    assert.equal(solo.ready().persist, undefined);
    assert.deepEqual(
      only(solo.persist(before.persist), "appendAccepted").map(({ match }) => match),
      [2],
    );
    const { persist, messages } = solo.ready();
    assert.deepEqual(messages, []);
    assert.deepEqual(persist?.snapshot?.last, at(5, 2));
  });

  test("of two that arrive while one is written the later is installed after it", () => {
    const solo = new Solo();
    solo.receive(received(at(5, 2)));
    const { persist } = solo.ready();
    assert.equal(solo.receive(received(at(5, 2))), false, "the same once more");
    assert.equal(solo.receive(received(at(4, 2))), false, "an earlier one");
    assert.equal(solo.receive(received(at(8, 2))), true);
    assert.deepEqual(
      only(solo.persist(persist), "appendAccepted").map(({ match }) => match),
      [5],
    );
    assert.equal(solo.status.applied, 5);
    const next = solo.ready();
    assert.deepEqual(next.persist?.snapshot?.last, at(8, 2));
    assert.deepEqual(
      only([...next.messages, ...solo.persist(next.persist)], "appendAccepted").map(({ match }) => match),
      [5, 5, 8],
    );
  });

  test("nonsense is not believed: an entry from the future, or a cluster of nobody", () => {
    const solo = new Solo();
    assert.equal(solo.receive(received(at(5, 3), { term: 2 })), false);
    assert.equal(solo.receive(received(at(5, 2), { configuration: members([]) })), false);
    assert.deepEqual([solo.status.term, solo.status.commit], [term(0), 0]);
  });
});

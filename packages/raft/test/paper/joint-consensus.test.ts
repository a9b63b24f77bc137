/** Diss. §4.3 and Raft §6: one test for each rule about changes of more than one voter. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatConfiguration } from "../../src/format.ts";
import { context, electionTicks, members, n, Solo } from "../solo.ts";
import { answer, only, preVote, vote } from "./members.ts";

/** The configuration that a node goes by. */
const inForce = ({ status }: Solo): string => formatConfiguration(status.configuration.configuration);

/**
 * The leader of a joint configuration from 1, 2, 3 to 1, 4, 5, of which all know and none has acknowledged
 * it.
 */
function jointLeader(): Solo {
  const solo = new Solo({ configuration: members([1, 2, 3], { learners: [4, 5] }) }).elected();
  solo.acknowledge(n(4)).acknowledge(n(5)).run();
  assert.equal(solo.reconfigure("+4", "+5", "-2", "-3").kind, "accepted");
  solo.run();
  assert.equal(inForce(solo), "voters=1,4,5 outgoing=1,2,3");
  return solo;
}

describe("Diss. §4.3, arbitrary changes by joint consensus; Raft §6", () => {
  test("§4.3: entries are committed by separate majorities of both configurations", () => {
    const byNew = jointLeader();
    byNew.acknowledge(n(4)).acknowledge(n(5));
    assert.equal(byNew.status.commit, 1, "1, 4 and 5 alone");
    const byOld = jointLeader();
    byOld.acknowledge(n(2)).acknowledge(n(3));
    assert.equal(byOld.status.commit, 1, "1, 2 and 3 alone");
    assert.equal(byOld.acknowledge(n(4)).status.commit, 2, "both");
  });

  test("§4.3: once it is committed the leader goes on to the new configuration, and so does whoever leads then", () => {
    const solo = jointLeader();
    solo.acknowledge(n(2)).acknowledge(n(4));
    assert.equal(inForce(solo), "voters=1,4,5");
    assert.equal(solo.status.configuration.index, 3);

    const configuration = members([1, 4, 5], { outgoing: [1, 2, 3] });
    const next = new Solo({ configuration, log: [1, 1], commit: 0 }).elect();
    next.run();
    next.acknowledge(n(2)).acknowledge(n(4));
    assert.equal(inForce(next), "voters=1,4,5");
  });

  test("§4.3: and not because something before it is committed; nor does a leader go before its own removal is", () => {
    const solo = new Solo({ configuration: members([1, 2, 3], { learners: [4, 5] }) }).elected();
    solo.propose("x");
    solo.reconfigure("+4", "+5", "-2", "-3");
    solo.run();
    solo.acknowledge(n(2), 2).acknowledge(n(4), 2);
    assert.equal(solo.status.commit, 2);
    assert.equal(inForce(solo), "voters=1,4,5 outgoing=1,2,3");

    const leaving = new Solo().elected();
    leaving.propose("x");
    leaving.reconfigure("-1");
    leaving.run();
    leaving.acknowledge(n(2), 2).acknowledge(n(3), 2);
    assert.deepEqual([leaving.status.commit, leaving.status.role], [2, "leader"]);
  });

  test("§4.3: until then no other change begins", () => {
    const solo = jointLeader();
    assert.deepEqual(solo.reconfigure("+6"), { kind: "dropped", because: "changeInProgress" });
    solo.acknowledge(n(2)).acknowledge(n(4));
    assert.deepEqual(solo.reconfigure("+6"), { kind: "dropped", because: "changeInProgress" });
    solo.run();
    solo.acknowledge(n(4));
    assert.equal(solo.reconfigure("+6").kind, "accepted");
  });

  test("§4.3: elections need separate majorities of both configurations", () => {
    const configuration = members([1, 4, 5], { outgoing: [1, 2, 3] });
    const candidate = new Solo({ configuration }).tick(electionTicks);
    assert.deepEqual(
      only(candidate.messages(), "preVoteRequest").map(({ to }) => to),
      [4, 5, 2, 3].map(n),
      "it asks everybody of either",
    );
    candidate.step(preVote(4, 1)).step(preVote(5, 1));
    assert.equal(candidate.status.role, "preCandidate");
    candidate.step(preVote(2, 1));
    assert.equal(candidate.status.role, "candidate");
    candidate.run();
    candidate.step(vote(2, 1)).step(vote(3, 1));
    assert.equal(candidate.status.role, "candidate");
    assert.equal(candidate.step(vote(5, 1)).status.role, "leader");
  });

  test("§4.3, §6.4: reads need both configurations", () => {
    const solo = jointLeader();
    solo.node.readIndex(context(7));
    solo.run();
    solo.step(answer(4, solo, 1)).step(answer(5, solo, 1));
    assert.deepEqual(solo.run().readStates, []);
    solo.step(answer(2, solo, 1));
    assert.deepEqual(solo.run().readStates, [{ context: context(7), index: 1 }]);
  });

  test("§4.3, §6.2: a leader that hears only one of them steps down", () => {
    for (const heard of [
      [2, 3],
      [4, 5],
    ]) {
      const solo = jointLeader();
      for (let tick = 0; tick <= electionTicks; tick += 1) {
        for (const from of heard) if (solo.status.role === "leader") solo.step(answer(from, solo));
        solo.tick();
      }
      assert.equal(solo.status.role, "follower");
    }
  });

  test("§6: a leader that is in the old configuration only leads until the new one is committed", () => {
    const solo = new Solo({ configuration: members([1, 2, 3], { learners: [4, 5, 6] }) }).elected();
    for (const id of [4, 5, 6]) solo.acknowledge(n(id));
    solo.reconfigure("+4", "+5", "+6", "-1", "-2", "-3");
    solo.run();
    for (const id of [2, 4, 5]) solo.acknowledge(n(id));
    assert.equal(inForce(solo), "voters=4,5,6");
    assert.equal(solo.status.role, "leader");
    solo.run();
    for (const id of [4, 5]) solo.acknowledge(n(id));
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.status.commit, 3);
  });
});

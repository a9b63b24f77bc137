/** Diss. §4.1 and §4.2: one test for each rule about changing who takes part. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeConfiguration } from "../../src/configuration/codec.ts";
import { formatConfiguration } from "../../src/format.ts";
import type { Message } from "../../src/messages.ts";
import { logIndex, noEntry, term } from "../../src/types.ts";
import { at, bytes, context, electionTicks, members, n, Solo } from "../solo.ts";
import {
  answer,
  append,
  appendConfiguration,
  following,
  only,
  preVote,
  vote,
  voteRequest,
} from "./members.ts";

/** The configuration that a node goes by. */
const inForce = ({ status }: Solo): string => formatConfiguration(status.configuration.configuration);

describe("Diss. §4.1, safety", () => {
  test("§4.1: the new configuration takes effect on each server as soon as it is added to that server's log", () => {
    const leader = new Solo().elected();
    assert.deepEqual(leader.reconfigure("+4"), { kind: "accepted", index: 2, term: 1 });
    assert.equal(inForce(leader), "voters=1,2,3,4");
    assert.deepEqual(
      [2, 3, 4].map((id) => leader.status.followers.get(n(id))?.match),
      [1, 1, 0],
      "what is known of those who stay is kept",
    );
    assert.deepEqual(
      only(leader.messages(), "appendEntries").map(({ to }) => to),
      [2, 3, 4].map(n),
    );
    const follower = new Solo().step(appendConfiguration({ term: 1 }, members([1, 2])));
    assert.equal(inForce(follower), "voters=1,2", "it is neither stored nor committed yet");
  });

  test("§4.1: it is replicated with the whole of it, and a majority of the new one determines commitment", () => {
    const solo = new Solo().elected();
    solo.node.reconfigure([{ kind: "addVoter", id: n(4) }], bytes("table"));
    const [request] = only(solo.messages(), "appendEntries");
    const [sent] = request?.entries ?? [];
    assert.equal(sent?.kind, "configuration");
    assert.deepEqual(decodeConfiguration(sent.data), { ...members([1, 2, 3, 4]), context: bytes("table") });
    assert.equal(solo.acknowledge(n(2)).status.commit, 1, "two of four");
    assert.equal(solo.acknowledge(n(4)).status.commit, 2);
  });

  test("§4.1: a server always uses the latest configuration in its log, and when the entry goes falls back", () => {
    const solo = new Solo({ log: [1], commit: 1 });
    solo.step(appendConfiguration({ term: 2, prev: at(1, 1) }, members([1, 2])));
    assert.deepEqual(solo.ready().configuration?.index, 2);
    solo.step(append({ from: 3, term: 3, prev: at(1, 1), terms: [3] }));
    assert.equal(inForce(solo), "voters=1,2,3");
    assert.deepEqual(solo.ready().configuration?.index, 0, "and says so");
  });

  test("§4.1: no change begins before the one before it is committed", () => {
    const solo = new Solo().elected();
    solo.reconfigure("+4");
    assert.deepEqual(solo.reconfigure("+5"), { kind: "dropped", because: "changeInProgress" });
    solo.run();
    solo.acknowledge(n(2)).acknowledge(n(3));
    assert.equal(solo.reconfigure("+5").kind, "accepted");
  });

  test("§4.1, erratum of 2015: nor before the leader has committed an entry of its own term", () => {
    const solo = new Solo({ log: [1, 1], commit: 2 }).elect();
    solo.run();
    assert.deepEqual(solo.reconfigure("+4"), { kind: "dropped", because: "notCommittedInTerm" });
    solo.acknowledge(n(2));
    assert.equal(solo.reconfigure("+4").kind, "accepted");
  });

  test("§4.1: only leaders change the configuration, and not so that nobody is left", () => {
    assert.deepEqual(new Solo().reconfigure("+4"), { kind: "dropped", because: "notLeader" });
    assert.deepEqual(new Solo().elected().reconfigure("-1", "-2", "-3"), {
      kind: "dropped",
      because: "noVoterLeft",
    });
  });

  test("§4.1: a server accepts appends from a leader that is not part of its latest configuration", () => {
    const solo = new Solo().step(append({ from: 9, term: 1, terms: [1] }));
    assert.equal(solo.status.leader, n(9));
    assert.equal(only(solo.messages(), "appendAccepted").length, 1);
  });

  test("§4.1: a server grants its vote to a candidate that is not part of its latest configuration", () => {
    const solo = new Solo().step(voteRequest(9, 1));
    assert.deepEqual(
      only(solo.messages(), "voteResponse").map(({ to, granted }) => [to, granted]),
      [[n(9), true]],
    );
  });

  test("§4.1: a new server that knows of nobody at all does both", () => {
    const fresh = (): Solo => new Solo({ configuration: members([]) });
    assert.equal(
      only(
        fresh()
          .step(append({ term: 1, terms: [1] }))
          .messages(),
        "appendAccepted",
      ).length,
      1,
    );
    assert.equal(only(fresh().step(voteRequest(2, 1)).messages(), "voteResponse")[0]?.granted, true);
    assert.equal(fresh().tick(10 * electionTicks).status.role, "follower", "and campaigns never");
  });
});

describe("Diss. §4.2, availability", () => {
  test("§4.2.1: a server that is added as non-voting gets the log and is not counted in majorities", () => {
    const solo = new Solo().elected();
    assert.equal(solo.reconfigure("~4").kind, "accepted");
    assert.ok(only(solo.messages(), "appendEntries").some(({ to }) => to === n(4)));
    solo.acknowledge(n(2));
    solo.propose("x");
    solo.run();
    assert.equal(solo.acknowledge(n(4)).status.commit, 2, "for commits");
    solo.node.readIndex(context(7));
    solo.run();
    assert.deepEqual(solo.step(answer(4, solo, 1)).run().readStates, [], "for reads");
    for (let tick = 0; tick <= electionTicks; tick += 1) solo.step(answer(4, solo)).tick();
    assert.equal(solo.status.role, "follower", "for the leader's own");
  });

  test("§4.2.1: its vote is not counted, and it does not campaign", () => {
    const configuration = members([1, 2, 3], { learners: [4, 5] });
    const solo = new Solo({ configuration }).tick(electionTicks);
    solo.step(preVote(4, 1)).step(preVote(5, 1));
    assert.equal(solo.status.role, "preCandidate");
    solo.step(preVote(2, 1)).step(vote(4, 1)).step(vote(5, 1));
    assert.equal(solo.status.role, "candidate");
    const learner = new Solo({ configuration: members([2, 3], { learners: [1] }) });
    assert.equal(learner.tick(10 * electionTicks).status.role, "follower");
  });

  test("§4.2.1: a learner that hears nobody for an election timeout knows of no leader any more", () => {
    const learner = following(4, { configuration: members([2, 3], { learners: [1] }) });
    learner.node.readIndex(context(7));
    learner.tick(electionTicks - 1);
    assert.equal(learner.status.leader, n(2));
    learner.tick();
    assert.equal(learner.status.leader, undefined);
    assert.deepEqual(learner.run().droppedReads, [context(7)]);
  });

  test("§4.2.2: a leader that removes itself replicates entries without counting itself in majorities", () => {
    const solo = new Solo().elected();
    assert.equal(solo.reconfigure("-1").kind, "accepted");
    solo.run();
    assert.equal(solo.acknowledge(n(2)).status.commit, 1, "one of two");
    assert.equal(solo.status.role, "leader");
  });

  test("§4.2.2: it steps down when that is committed, and the most advanced voter may campaign at once", () => {
    const solo = new Solo({ configuration: members([1, 2, 3, 4], { learners: [5] }) }).elected();
    solo.reconfigure("-1");
    solo.propose("x");
    solo.propose("y");
    solo.run();
    solo.acknowledge(n(5)).acknowledge(n(2), 1).acknowledge(n(3), 3);
    assert.equal(solo.status.role, "leader");
    solo.acknowledge(n(4), 2);
    assert.equal(solo.status.role, "follower");
    assert.equal(solo.status.leader, undefined);
    assert.deepEqual(
      only(solo.messages(), "timeoutNow").map(({ to }) => to),
      [n(3)],
    );
  });

  test("§4.2.2: a server outside its own latest configuration still campaigns until that is committed", () => {
    const solo = new Solo({ log: [1], commit: 1 });
    solo.step(appendConfiguration({ term: 1, prev: at(1, 1) }, members([2, 3])));
    solo.run();
    solo.tick(electionTicks);
    assert.equal(solo.status.role, "preCandidate");
    solo.step(preVote(2, 2));
    assert.equal(solo.status.role, "preCandidate", "it does not count its own vote");
    solo.step(preVote(3, 2));
    assert.equal(solo.status.role, "candidate");
    solo.run();
    solo.step(append({ term: 2, prev: at(2, 1), commit: 2 }));
    solo.tick(10 * electionTicks);
    assert.equal(solo.status.role, "follower", "committed: it is needed no more");
  });

  test("§4.2.3: a removed server cannot disrupt: who hears a leader learns not even of its term", () => {
    const solo = following(4, { configuration: members([1, 2]) });
    solo.step({ ...voteRequest(3, 9) }).step({
      kind: "preVoteRequest",
      from: n(3),
      to: n(1),
      term: term(9),
      lastEntry: at(9, 9),
    });
    assert.equal(solo.status.term, 4);
    assert.deepEqual(
      solo.messages().map((message) => [message.kind, message.term]),
      [["preVoteResponse", 4]],
    );
  });

  test("§4.2.3: answers of a removed server mean nothing to its leader", () => {
    const solo = new Solo().elected();
    solo.reconfigure("-3");
    solo.run();
    assert.equal(solo.acknowledge(n(3)).status.commit, 1);
    assert.equal(solo.status.followers.has(n(3)), false);
  });

  test("§6: a server that is added is given an election timeout to be heard", () => {
    const solo = new Solo({ voters: [1] }).tick(electionTicks);
    solo.run();
    solo.tick(3 * electionTicks);
    assert.equal(solo.reconfigure("+2").kind, "accepted");
    assert.equal(solo.tick(electionTicks).status.role, "leader");
    assert.equal(solo.tick().status.role, "follower");
  });

  test("§3.10: a change does not begin while leadership is handed over, and a removed leader names one successor", () => {
    const solo = new Solo().elected();
    solo.reconfigure("-1");
    solo.run();
    solo.node.transferLeadership(n(2));
    assert.deepEqual(solo.reconfigure("+4"), { kind: "dropped", because: "transferring" });
    solo.acknowledge(n(3)).acknowledge(n(2));
    assert.deepEqual(
      only(solo.messages(), "timeoutNow").map(({ to }) => to),
      [n(2)],
    );
  });

  test("an append with an entry that is no configuration, or one of nobody, is not believed", () => {
    const broken: Message = {
      ...append({ term: 1, terms: [1] }),
      entries: [{ ...at(1, 1), kind: "configuration", data: bytes("?") }],
    };
    const nobody = appendConfiguration({ term: 1, prev: noEntry }, members([]));
    for (const message of [broken, nobody]) {
      const solo = new Solo().step(message);
      assert.equal(solo.status.lastIndex, logIndex(0));
      assert.deepEqual(
        solo.trace.map((event) => event.kind),
        ["ignored"],
      );
    }
  });
});

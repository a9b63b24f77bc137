/** Diss. §3.10, §4.2.3, §6.2: keeping leadership, losing it, handing it over. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Message } from "../../src/messages.ts";
import { term } from "../../src/types.ts";
import { at, electionTicks, members, n, Solo } from "../solo.ts";
import { answer, following, leading, only } from "./members.ts";

function campaign(ofTerm: number, cause: "timeout" | "transfer"): Message {
  const leadershipTransfer = cause === "transfer";
  return {
    kind: "voteRequest",
    from: n(3),
    to: n(1),
    term: term(ofTerm),
    lastEntry: at(99, 99),
    leadershipTransfer,
  };
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
    assert.deepEqual(
      only(solo.messages(), "timeoutNow").map(({ to }) => to),
      [n(2)],
    );
    solo.acknowledge(n(3));
    assert.deepEqual(only(solo.messages(), "timeoutNow"), []);
  });

  test("§3.10: the target campaigns at once, in a new term, and says that the leader wants it", () => {
    const solo = following(4).step({ kind: "timeoutNow", from: n(2), to: n(1), term: term(4) });
    const requests = only(solo.messages(), "voteRequest");
    assert.deepEqual(
      requests.map((request) => [request.to, request.term, request.leadershipTransfer]),
      [
        [n(2), 5, true],
        [n(3), 5, true],
      ],
    );
  });

  test("§3.10: only the leader can call for that", () => {
    const solo = following(4).step({ kind: "timeoutNow", from: n(3), to: n(1), term: term(4) });
    assert.equal(solo.status.role, "follower");
  });

  test("§3.10: who has no vote does not campaign, whoever asks", () => {
    const learner = following(4, { configuration: members([2, 3], { learners: [1] }) });
    learner.step({ kind: "timeoutNow", from: n(2), to: n(1), term: term(4) });
    assert.deepEqual([learner.status.role, learner.status.term], ["follower", 4]);
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

  test("§3.10: a transfer needs a leader, another voter, and to be the only one", () => {
    const solo = leading();
    assert.deepEqual(following(1).node.transferLeadership(n(2)), { kind: "dropped", because: "notLeader" });
    assert.deepEqual(solo.node.transferLeadership(n(1)), { kind: "dropped", because: "alreadyLeader" });
    assert.deepEqual(solo.node.transferLeadership(n(9)), { kind: "dropped", because: "notVoter" });
    solo.node.transferLeadership(n(2));
    assert.deepEqual(solo.node.transferLeadership(n(3)), { kind: "dropped", because: "transferring" });
    assert.deepEqual(solo.node.transferLeadership(n(2)), { kind: "accepted" });
  });
});

describe("Diss. §4.2.3, disruptive servers", () => {
  test("§4.2.3: a request for a vote within the least election timeout of hearing a leader changes nothing", () => {
    const solo = following(4)
      .tick(electionTicks - 1)
      .step(campaign(9, "timeout"));
    assert.equal(solo.status.term, 4);
    assert.deepEqual(solo.messages(), []);
  });

  test("§4.2.3: a leader does not let itself be unseated either", () => {
    const solo = leading().step(campaign(9, "timeout"));
    assert.equal(solo.status.role, "leader");
    assert.equal(solo.status.term, 1);
  });

  test("§4.2.3: later than that it counts, although this node itself would wait longer", () => {
    const solo = following(4, { config: { random: () => 5 } })
      .tick(electionTicks)
      .step(campaign(9, "timeout"));
    assert.equal(solo.status.term, 9);
    assert.deepEqual(
      only(solo.messages(), "voteResponse").map(({ granted }) => granted),
      [true],
    );
  });

  test("§4.2.3: a request that the leader asked for counts at once", () => {
    for (const solo of [following(4), leading()]) {
      solo.step(campaign(9, "transfer"));
      assert.equal(solo.status.role, "follower");
      assert.deepEqual(
        only(solo.messages(), "voteResponse").map(({ granted }) => granted),
        [true],
      );
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
    const solo = new Solo({ voters: [1] }).elect().tick(5 * electionTicks);
    assert.equal(solo.status.role, "leader");
  });
});

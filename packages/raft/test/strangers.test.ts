/** Messages of those who are no members, and those that no member sends. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvariantViolation } from "../src/assert.ts";
import type { AppendEntries, Message } from "../src/messages.ts";
import { logIndex, noEntry, term } from "../src/types.ts";
import { at, context, electionTicks, entries, n, Solo } from "./solo.ts";

const append: AppendEntries = {
  kind: "appendEntries",
  from: n(2),
  to: n(1),
  term: term(1),
  prev: noEntry,
  entries: entries([1]),
  commit: logIndex(0),
};

function reasons(solo: Solo): readonly string[] {
  return solo.trace.flatMap((event) => (event.kind === "ignored" ? [event.because] : []));
}

describe("strangers and nonsense", () => {
  const cases: readonly { readonly name: string; readonly message: Message; readonly because: string }[] = [
    { name: "a message for another node", message: { ...append, to: n(3) }, because: "notForUs" },
    { name: "a message from ourselves", message: { ...append, from: n(1) }, because: "notMember" },
    { name: "an append with a gap", message: { ...append, entries: entries([1], 2) }, because: "malformed" },
    {
      name: "an append from the future",
      message: { ...append, entries: entries([2]) },
      because: "malformed",
    },
  ];
  for (const { name, message, because } of cases) {
    test(`${name} has no effect`, () => {
      const solo = new Solo().step(message);
      assert.deepEqual(reasons(solo), [because]);
      assert.equal(solo.node.hasReady(), false);
      assert.equal(solo.status.term, 0);
    });
  }

  test("answers of somebody who is not a member have no effect on a leader", () => {
    const envelope = { from: n(9), to: n(1), term: term(1) };
    const answers: readonly Message[] = [
      { ...envelope, kind: "appendAccepted", match: logIndex(1) },
      { ...envelope, kind: "appendRejected", prevIndex: logIndex(1), hint: noEntry },
      { ...envelope, kind: "heartbeatResponse", readRound: 1 },
      { ...envelope, kind: "readIndexRequest", context: context(5) },
    ];
    for (const message of answers) {
      const solo = new Solo().elected().step(message);
      assert.deepEqual(reasons(solo).at(-1), "notMember");
      assert.equal(solo.node.hasReady(), false);
    }
  });

  test("votes of somebody who is not a member are not counted", () => {
    const solo = new Solo().tick(electionTicks);
    const envelope = { to: n(1), term: term(1), granted: true };
    for (const from of [n(8), n(9)]) solo.step({ ...envelope, kind: "preVoteResponse", from });
    assert.equal(solo.status.role, "preCandidate");
    solo.step({ ...envelope, kind: "preVoteResponse", from: n(2) });
    for (const from of [n(8), n(9)]) solo.step({ ...envelope, kind: "voteResponse", from });
    assert.equal(solo.status.role, "candidate");
  });

  test("whoever asks is answered: its configuration may be younger than ours", () => {
    const stranger = { from: n(9), to: n(1), term: term(1) };
    const asked = (solo: Solo, message: Message): readonly string[] =>
      solo
        .step(message)
        .messages()
        .map(({ kind, to }) => `${kind} to ${String(to)}`);
    assert.deepEqual(asked(new Solo(), { ...append, from: n(9) }), ["appendAccepted to 9"]);
    assert.deepEqual(asked(new Solo(), { ...stranger, kind: "preVoteRequest", lastEntry: noEntry }), [
      "preVoteResponse to 9",
    ]);
    assert.deepEqual(
      asked(new Solo(), { ...stranger, kind: "voteRequest", lastEntry: noEntry, leadershipTransfer: false }),
      ["voteResponse to 9"],
    );
  });

  test("an acknowledgement of entries that do not exist has no effect", () => {
    const solo = new Solo().elected().acknowledge(n(2), 99);
    assert.equal(reasons(solo).at(-1), "malformed");
    assert.equal(solo.status.followers.get(n(2))?.match, 1);
  });

  test("no message of any kind upsets a node in any role, as long as its leader is the only one", () => {
    const envelope = { from: n(3), to: n(1), term: term(1) };
    const kinds: readonly Message[] = [
      { ...envelope, kind: "preVoteRequest", lastEntry: noEntry },
      { ...envelope, kind: "preVoteResponse", granted: true },
      { ...envelope, kind: "voteRequest", lastEntry: noEntry, leadershipTransfer: false },
      { ...envelope, kind: "voteResponse", granted: false },
      { ...envelope, kind: "appendAccepted", match: logIndex(50) },
      { ...envelope, kind: "appendRejected", prevIndex: logIndex(50), hint: at(60, 70) },
      { ...envelope, kind: "heartbeatResponse", readRound: 5 },
      { ...envelope, kind: "timeoutNow" },
      { ...envelope, kind: "readIndexRequest", context: context(5) },
      { ...envelope, kind: "readIndexResponse", context: context(5), index: logIndex(70) },
    ];
    const roles: readonly (() => Solo)[] = [
      () => new Solo({ term: 1, votedFor: 2 }),
      () => new Solo({ term: 1, votedFor: 2 }).step(append),
      () => new Solo({ term: 1, votedFor: 2 }).tick(electionTicks),
      () => new Solo().elected(),
    ];
    for (const make of roles) {
      for (const message of kinds) {
        const solo = make();
        const { role } = solo.status;
        solo.step(message).run();
        assert.equal(solo.status.role, role, `${role} and ${message.kind}`);
      }
    }
  });

  test("a commit index that was never acknowledged stops the node: it has forgotten something", () => {
    const solo = new Solo({ log: [1] });
    const heartbeat: Message = {
      kind: "heartbeat",
      from: n(2),
      to: n(1),
      term: term(1),
      commit: logIndex(2),
      readRound: undefined,
    };
    assert.throws(() => solo.step(heartbeat), InvariantViolation);
  });
});

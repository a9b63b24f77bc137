/** No node can be made to do these things, so a stand-in says that it has. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, type LogIndex, type Observation, type RaftNode, term } from "@dkv/raft";
import { Steps } from "../../src/checkers/steps.ts";
import { id, one, three, two } from "./fixtures.ts";

const follower: Observation = {
  id: one,
  role: "follower",
  term: term(3),
  votedFor: undefined,
  leader: two,
  committed: id(5, 2),
  handedOut: logIndex(4),
  stable: logIndex(6),
  first: logIndex(1),
  last: id(7, 3),
  progress: [],
};

const leader: Observation = {
  ...follower,
  role: "leader",
  votedFor: one,
  leader: one,
  progress: [{ match: logIndex(7), next: logIndex(8) }],
};

type Change = Partial<Observation>;

/** Looks at a node that is the one, and then the other. */
function watch(...seen: readonly [Observation, ...Observation[]]): void {
  const steps = new Steps();
  const node = standIn(seen[0]);
  for (const now of seen) {
    node.now = now;
    steps.step(node.node);
  }
}

function standIn(
  first: Observation,
  termAt: (index: LogIndex) => number | undefined = () => first.committed.term,
) {
  const it = {
    now: first,
    node: { observe: () => it.now, termAt } as unknown as RaftNode,
  };
  return it;
}

describe("a node at any moment", () => {
  it("may follow and lead", () => {
    watch(follower);
    watch(leader);
    watch({ ...follower, role: "candidate", votedFor: one, leader: undefined });
  });

  const wrongFollowers: readonly (readonly [RegExp, Change])[] = [
    [/handedOut <= committed/, { handedOut: logIndex(6) }],
    [/handedOut <= stable/, { handedOut: logIndex(5), stable: logIndex(4) }],
    [/committed <= last/, { committed: id(8, 3) }],
    [/stable <= last/, { stable: logIndex(8) }],
    [/no entry is of a later term/, { last: id(7, 4) }],
    [/only a leader follows itself/, { leader: one }],
    [/have voted for themselves/, { role: "candidate", votedFor: two }],
  ];
  const wrongLeaders: readonly (readonly [RegExp, Change])[] = [
    [/knows itself as leader/, { leader: two }],
    [/last entry is of its own term/, { last: id(7, 2) }],
    [/have voted for themselves/, { votedFor: two }],
    [/match < next/, { progress: [{ match: logIndex(7), next: logIndex(7) }] }],
    [/match <= last/, { progress: [{ match: logIndex(8), next: logIndex(9) }] }],
    [/next <= last \+ 1/, { progress: [{ match: logIndex(7), next: logIndex(9) }] }],
  ];
  for (const [fact, change] of wrongFollowers)
    it(`is seen if it breaks ${fact.source}, following`, () => {
      assert.throws(() => watch({ ...follower, ...change }), fact);
    });
  for (const [fact, change] of wrongLeaders)
    it(`is seen if it breaks ${fact.source}, leading`, () => {
      assert.throws(() => watch({ ...leader, ...change }), fact);
    });
});

describe("a step of a node", () => {
  const voter = { ...follower, votedFor: two };

  it("may go on, vote, lead, and begin another term", () => {
    const further = { committed: id(6, 3), handedOut: logIndex(6), first: logIndex(3), last: id(9, 3) };
    watch(follower, voter, { ...voter, ...further });
    watch(leader, { ...leader, ...further });
    watch(leader, { ...follower, term: term(4), votedFor: three, leader: three });
    // Another leader may take back what is not committed.
    watch(leader, { ...follower, term: term(4), last: id(6, 2) });
  });

  const wrong: readonly (readonly [RegExp, Observation, Change])[] = [
    [/keeps its identity/, follower, { id: three }],
    [/term never decreases/, follower, { term: term(2), last: id(7, 2) }],
    [/commit index never decreases/, follower, { committed: id(4, 2) }],
    [/does not come back/, { ...follower, first: logIndex(3) }, { first: logIndex(2) }],
    [/stays handed out/, follower, { handedOut: logIndex(3) }],
    [/vote is given once/, voter, { votedFor: three }],
    [/vote is given once/, voter, { votedFor: undefined }],
    [/leader of a term never changes/, follower, { leader: three }],
    [/only appends/, leader, { last: id(6, 3), progress: [] }],
  ];
  for (const [fact, before, change] of wrong)
    it(`is seen if it breaks ${fact.source} by ${Object.keys(change).join()}`, () => {
      assert.throws(() => watch(before, { ...before, ...change }), fact);
    });

  it("is seen if it replaces what was committed, unless that was dropped from the log", () => {
    const steps = new Steps();
    const entries = new Map<number, number>([[5, 2]]);
    const changing = standIn(follower, (index) => entries.get(index));
    steps.step(changing.node);
    entries.set(5, 3);
    assert.throws(() => steps.step(changing.node), /committed entries are never replaced/);
    entries.delete(5);
    assert.throws(() => steps.step(changing.node), /committed entries are never replaced/);
    changing.now = { ...follower, first: logIndex(6) };
    steps.step(changing.node);
  });
});

describe("a restart", () => {
  const restarted = (seen: Change) => standIn({ ...follower, ...seen }).node;
  const durable = { term: term(3), votedFor: two };

  it("may know what was durable, or more", () => {
    const steps = new Steps();
    steps.restarted(restarted({ votedFor: two }), durable);
    steps.restarted(restarted({ votedFor: two }), { ...durable, votedFor: undefined });
    steps.restarted(restarted({ term: term(4), votedFor: three }), durable);
  });

  it("is seen if it takes a term back, or forgets or changes a vote", () => {
    const steps = new Steps();
    assert.throws(() => steps.restarted(restarted({ term: term(2) }), durable), /took a term back/);
    for (const votedFor of [undefined, three])
      assert.throws(() => steps.restarted(restarted({ votedFor }), durable), /forgot a vote/);
  });
});

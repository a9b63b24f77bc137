/** What a member does, sends, stores and restarts with is shown to each checker that it concerns. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConfigurationAt, type HardState, logIndex, nodeId, type Observation, term } from "@dkv/raft";
import { Checkers } from "../../src/checkers/checkers.ts";
import type { VoterDisk } from "../../src/checkers/quorums.ts";
import type { MemberProcess } from "../../src/process/member.ts";
import { Trace } from "../../src/world/trace.ts";
import { World } from "../../src/world/world.ts";
import { entry, id, one, three, two } from "./fixtures.ts";

const voters = (...ids: readonly bigint[]): ConfigurationAt => ({
  index: logIndex(ids.length),
  configuration: { voters: ids.map(nodeId), outgoing: [], learners: [], context: new Uint8Array() },
});

const leader: Observation = {
  id: one,
  role: "leader",
  term: term(2),
  votedFor: one,
  leader: one,
  committed: id(3, 2),
  handedOut: logIndex(3),
  stable: logIndex(5),
  first: logIndex(1),
  last: id(5, 2),
  progress: [],
};

const follower: Observation = { ...leader, role: "follower", id: two, votedFor: one };

const durable: HardState = { term: term(2), votedFor: one, commit: logIndex(0) };

/** A member of which only that is there which checkers look at. */
function memberLike(first: Observation) {
  const seen = { now: first, configuration: voters(1n, 2n, 3n), durable, lastIndex: 5 };
  const termAt = (index: number): number | undefined => (index <= seen.now.last.index ? 2 : undefined);
  const node = { observe: () => seen.now, termAt, status: () => ({ configuration: seen.configuration }) };
  const storage = {
    get durableHardState() {
      return seen.durable;
    },
    log: { lastIndex: seen.lastIndex, termAt: () => 1 },
  };
  const member = { node, storage, life: { machine: 0 } } as unknown as MemberProcess;
  return { seen, member };
}

/** Disks on which everybody has voted for the first one, and has so many entries. */
function stage(last = 5) {
  const disk: VoterDisk = {
    hardState: durable,
    firstIndex: logIndex(1),
    termAt: (index) => (index <= last ? term(2) : undefined),
  };
  const disks = new Map([one, two, three].map((voter) => [voter, disk]));
  return { disks, checkers: new Checkers(new World(new Trace()), (voter) => disks.get(voter)) };
}

describe("the checkers", () => {
  it("let pass a leader that was elected, commits, and is followed", () => {
    const { checkers } = stage();
    const { seen, member } = memberLike(leader);
    assert.equal(checkers.settled(member), "elected");
    assert.equal(checkers.settled(member), "leads");
    seen.now = { ...leader, committed: id(5, 2) };
    checkers.settled(member);
    seen.configuration = voters(1n, 2n, 3n, 4n);
    checkers.settled(member);
    assert.equal(checkers.settled(memberLike(follower).member), "follows");
    assert.equal(checkers.elections, 1);
  });

  it("see a step that a node must not take", () => {
    const { checkers } = stage();
    const { seen, member } = memberLike(follower);
    checkers.settled(member);
    seen.now = { ...follower, committed: id(2, 2), handedOut: logIndex(2) };
    assert.throws(() => checkers.settled(member), /commit index never decreases/);
  });

  it("see two leaders of one term", () => {
    const { checkers } = stage();
    checkers.settled(memberLike(leader).member);
    const other = { ...leader, id: two, votedFor: two, leader: two };
    assert.throws(() => checkers.settled(memberLike(other).member), /term 2 has two leaders/);
  });

  it("see a leader that lacks what somebody has committed before", () => {
    const { checkers, disks } = stage();
    checkers.settled(memberLike(follower).member);
    for (const voter of [two, three])
      disks.set(voter, { ...stage().disks.get(two), hardState: { ...durable, term: term(4) } } as VoterDisk);
    const behind = { ...leader, term: term(3), last: id(2, 3), committed: id(1, 2), handedOut: logIndex(1) };
    const { member } = memberLike({ ...behind, stable: logIndex(2) });
    assert.throws(() => checkers.settled(member), /lacks entry 3/);
  });

  it("see a leader without votes, and one that commits without copies", () => {
    const { checkers, disks } = stage(4);
    const { seen, member } = memberLike(leader);
    checkers.settled(member);
    seen.now = { ...leader, committed: id(5, 2) };
    assert.throws(() => checkers.settled(member), /entry 5 of term 2 was committed with too few copies/);
    const unvoted = { ...durable, votedFor: three };
    for (const voter of [two, three])
      disks.set(voter, { ...disks.get(voter), hardState: unvoted } as VoterDisk);
    const fresh = new Checkers(new World(new Trace()), (voter) => disks.get(voter));
    assert.throws(() => fresh.settled(memberLike(leader).member), /lacks votes: 1 of 3/);
  });

  it("see a configuration whose majorities miss those of the one before", () => {
    const { checkers } = stage();
    const { seen, member } = memberLike(leader);
    checkers.settled(member);
    seen.configuration = voters(1n, 4n, 5n, 6n);
    assert.throws(() => checkers.settled(member), /do not meet/);
  });

  it("see a promise that is not on the sender's disk", () => {
    const { checkers } = stage();
    const { seen, member } = memberLike(follower);
    const accepted = { kind: "appendAccepted", from: two, to: one, term: term(2) } as const;
    checkers.leaves(member, { ...accepted, match: logIndex(5) });
    assert.throws(() => checkers.leaves(member, { ...accepted, match: logIndex(6) }), /ends at 5/);
    seen.durable = { ...durable, term: term(1) };
    assert.throws(() => checkers.leaves(member, { ...accepted, match: logIndex(5) }), /before that term/);
  });

  it("see a restart that forgets", () => {
    const { member } = memberLike({ ...follower, votedFor: undefined });
    assert.throws(() => stage().checkers.restarted(member, durable), /forgot a vote/);
  });

  it("see logs that hold different entries under one name, or behind different ones", () => {
    const { checkers } = stage();
    const { member } = memberLike(follower);
    checkers.appended(member, { hardState: undefined, entries: [entry(4, 2)] });
    checkers.appended(member, { hardState: durable, entries: [] });
    const append =
      (...entries: readonly ReturnType<typeof entry>[]) =>
      () =>
        checkers.appended(member, { hardState: undefined, entries });
    append(entry(3, 1), entry(4, 2))();
    assert.throws(append(entry(4, 2, "y")), /differs between two logs/);
    assert.throws(append(entry(3, 2), entry(4, 2)), /follows different entries/);
  });
});

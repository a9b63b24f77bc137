/** Each checker sees what it is there for, and lets pass what is right. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, type NodeId, noEntry, term } from "@dkv/raft";
import { boundsOf, checkBounds, type Sizes } from "../../src/checkers/bounds.ts";
import { Durability } from "../../src/checkers/durability.ts";
import { ElectionSafety } from "../../src/checkers/election-safety.ts";
import { ExactlyOnce } from "../../src/checkers/exactly-once.ts";
import { judge } from "../../src/checkers/histories.ts";
import { LeaderCompleteness } from "../../src/checkers/leader-completeness.ts";
import { checkLostData } from "../../src/checkers/lost-data.ts";
import { LogMatching } from "../../src/checkers/log-matching.ts";
import { checkPromise } from "../../src/checkers/promises.ts";
import { checkCommit, checkCommitOver, checkElection, isCommitted } from "../../src/checkers/quorums.ts";
import { Truth } from "../../src/checkers/truth.ts";
import { calmSwarm } from "../../src/faults/swarm.ts";
import { entry, id, one, remove, set, three, two } from "./fixtures.ts";

describe("election safety", () => {
  it("takes one leader in each term", () => {
    const checker = new ElectionSafety();
    assert.equal(checker.observe({ id: one, role: "leader", term: term(1) }), true);
    assert.equal(checker.observe({ id: one, role: "leader", term: term(1) }), false);
    assert.equal(checker.observe({ id: two, role: "candidate", term: term(1) }), false);
    checker.observe({ id: two, role: "leader", term: term(2) });
    assert.equal(checker.elections, 2);
  });

  it("refuses a second leader in a term, however late", () => {
    const checker = new ElectionSafety();
    checker.observe({ id: one, role: "leader", term: term(1) });
    checker.observe({ id: two, role: "leader", term: term(2) });
    assert.throws(() => checker.observe({ id: two, role: "leader", term: term(1) }), /two leaders/);
  });
});

describe("leader completeness", () => {
  const elected = { term: term(3), first: logIndex(1) };

  it("takes a leader that has what was committed, or got it in a snapshot", () => {
    const checker = new LeaderCompleteness();
    checker.observe({ term: term(2), committed: id(5, 2) });
    checker.elected(elected, () => 2);
    checker.elected({ ...elected, first: logIndex(6) }, () => undefined);
  });

  it("refuses a leader that lacks it, or has something else in its place", () => {
    const checker = new LeaderCompleteness();
    checker.observe({ term: term(2), committed: id(5, 2) });
    checker.observe({ term: term(2), committed: id(4, 2) });
    assert.throws(() => checker.elected(elected, () => undefined), /lacks entry 5/);
    assert.throws(() => checker.elected(elected, () => 1), /lacks entry 5/);
  });

  it("does not ask a leader for what later terms have committed", () => {
    const checker = new LeaderCompleteness();
    checker.observe({ term: term(3), committed: id(9, 3) });
    checker.elected(elected, () => undefined);
  });
});

describe("log matching", () => {
  it("takes the same entries in several logs", () => {
    const checker = new LogMatching();
    checker.appended([entry(1, 1), entry(2, 1)], noEntry.term);
    checker.appended([entry(2, 1)], 1);
    checker.appended([entry(2, 2)], 1);
  });

  it("refuses another content under the same name", () => {
    const checker = new LogMatching();
    checker.appended([entry(1, 1, "a")], 0);
    assert.throws(() => checker.appended([entry(1, 1, "b")], 0), /differs/);
    assert.throws(() => checker.appended([{ ...entry(1, 1, "a"), kind: "empty" }], 0), /differs/);
  });

  it("refuses another entry before it", () => {
    const checker = new LogMatching();
    checker.appended([entry(1, 1), entry(2, 2)], 0);
    assert.throws(() => checker.appended([entry(2, 2)], 2), /follows different entries/);
  });
});

describe("state machine safety", () => {
  const applied = (revision: number) => ({
    id: { proposer: 1n, sequence: 1 },
    result: { kind: "set", revision, previous: undefined } as const,
    changes: [],
  });

  it("follows a log and knows every version that there was", () => {
    const truth = new Truth();
    truth.applied({ index: 1, term: 1, data: undefined });
    truth.applied({ index: 2, term: 1, data: set("a", "1") });
    truth.applied({ index: 3, term: 1, data: set("a", "2") });
    truth.applied({ index: 4, term: 2, data: remove("a") });
    truth.applied({ index: 4, term: 2, data: remove("a") });
    truth.checkResult(3, applied(3));
    assert.equal(truth.versionAt("a", 1), undefined);
    assert.deepEqual(truth.versionAt("a", 3), {
      value: "2",
      createRevision: 2,
      modRevision: 3,
      version: 2,
      lease: 0n,
    });
    assert.equal(truth.versionAt("a", 4), undefined);
    assert.equal(truth.revisionAt(4), 4);
  });

  it("refuses different entries at one index, and one that was left out", () => {
    const truth = new Truth();
    truth.applied({ index: 1, term: 1, data: set("a", "1") });
    assert.throws(() => truth.applied({ index: 1, term: 1, data: set("a", "2") }), /different entries at 1/);
    assert.throws(() => truth.applied({ index: 1, term: 2, data: set("a", "1") }), /different entries at 1/);
    assert.throws(() => truth.applied({ index: 3, term: 2, data: set("a", "1") }), /nobody has applied 2/);
  });

  it("refuses a result that the log does not give", () => {
    const truth = new Truth();
    truth.applied({ index: 1, term: 1, data: set("a", "1") });
    assert.throws(() => truth.checkResult(1, applied(3)), /revision 3, not 2/);
    truth.applied({ index: 2, term: 1, data: remove("b") });
    const found = {
      id: { proposer: 1n, sequence: 1 },
      result: { kind: "delete", revision: 2, deleted: 1, previous: [] } as const,
      changes: [],
    };
    assert.throws(() => truth.checkResult(2, found), /gave deleted 1 .*, and should have given deleted 0/);
  });
});

describe("durability", () => {
  it("refuses an acknowledgement of what is not in the log, or is another's", () => {
    const truth = new Truth();
    truth.applied({ index: 1, term: 1, data: set("a", "1") });
    const checker = new Durability(truth);
    checker.acknowledged({ key: "a", value: "1", revision: 2 });
    assert.throws(() => checker.acknowledged({ key: "a", value: "1", revision: 3 }), /nobody made/);
    assert.throws(() => checker.acknowledged({ key: "a", value: "2", revision: 2 }), /another's/);
    assert.throws(() => checker.acknowledged({ key: "b", value: "1", revision: 2 }), /another's/);
  });
});

describe("exactly once", () => {
  it("takes a command in one place, on every member, and refuses it in two", () => {
    const checker = new ExactlyOnce();
    checker.applied({ proposer: 1n, sequence: 1 }, 5);
    checker.applied({ proposer: 1n, sequence: 2 }, 6);
    checker.applied({ proposer: 2n, sequence: 1 }, 7);
    checker.applied({ proposer: 1n, sequence: 1 }, 5);
    assert.throws(() => checker.applied({ proposer: 1n, sequence: 1 }, 8), /twice, at 5 and at 8/);
    assert.throws(() => checker.applied({ proposer: 1n, sequence: 2 }, 5), /twice, at 6 and at 5/);
  });
});

describe("lost data", () => {
  it("may come with a term, and never with entries or a vote", () => {
    const hardState = { term: term(3), votedFor: undefined, commit: logIndex(0) };
    checkLostData({ hardState, entries: [] });
    checkLostData({ hardState: undefined, entries: [] });
    assert.throws(() => checkLostData({ hardState, entries: [entry(1, 1)] }), /was given entries/);
    assert.throws(() => checkLostData({ hardState: { ...hardState, votedFor: one }, entries: [] }), /voted/);
  });
});

describe("bounded memory", () => {
  it("refuses anything that has grown beyond its bound", () => {
    const bounds = boundsOf(calmSwarm(3, 10, 100));
    checkBounds(bounds, bounds);
    for (const name of Object.keys(bounds) as (keyof Sizes)[])
      assert.throws(() => checkBounds({ ...bounds, [name]: bounds[name] + 1 }, bounds), new RegExp(name));
  });

  it("allows little where a run draws little", () => {
    const calm = calmSwarm(3, 10, 100);
    const workload = { ...calm.workload, clients: 2, valueBytes: 10, thinkMs: 200 };
    const settings = { ...calm.settings, inflightMessages: 1, maxAppendBytes: 200, chunkBytes: 100 };
    const small = boundsOf({ workload, settings: { ...settings, snapshotCount: 20, catchupEntries: 0 } });
    assert.ok(small.queuedBytes < 100_000 && small.unsavedBytes < 120_000 && small.logBytes < 160_000);
  });
});

describe("linearizability", () => {
  const ok = (calledAt: number, at: number, result: { value?: string }) =>
    ({ calledAt, outcome: { kind: "ok", at, result } }) as const;

  it("takes what an order exists for, and refuses a stale read", () => {
    const written = { client: "a", action: { kind: "set", key: "k", value: "1" }, ...ok(1, 2, {}) } as const;
    const read = (value: string | undefined) =>
      ({
        client: "b",
        action: { kind: "get", key: "k" },
        ...ok(3, 4, value === undefined ? {} : { value }),
      }) as const;
    assert.equal(judge([written, read("1")], 100), "linearizable");
    assert.throws(() => judge([written, read(undefined)], 100), /not linearizable/);
    assert.equal(judge([written, read("1")], 0), "undecided");
  });
});

describe("promises", () => {
  const disk = { hardState: { term: term(2), votedFor: one, commit: logIndex(0) }, lastIndex: logIndex(5) };
  const envelope = { from: two, to: one, term: term(2) };

  it("takes what the disk holds, and what promises nothing", () => {
    checkPromise({ ...envelope, kind: "voteResponse", granted: true }, disk);
    checkPromise({ ...envelope, kind: "appendAccepted", match: logIndex(5) }, disk);
    checkPromise({ ...envelope, kind: "preVoteRequest", term: term(3), lastEntry: id(5, 2) }, disk);
    checkPromise({ ...envelope, kind: "voteResponse", to: two, granted: false }, disk);
  });

  it("takes what was said in an earlier term, whatever the disk holds now", () => {
    const late = { ...envelope, term: term(1) };
    checkPromise({ ...late, kind: "voteResponse", to: two, granted: true }, disk);
    checkPromise({ ...late, kind: "appendAccepted", match: logIndex(9) }, disk);
  });

  it("refuses a term, a vote or an entry that is not on disk", () => {
    assert.throws(
      () => checkPromise({ ...envelope, kind: "heartbeatResponse", term: term(3), readRound: 1 }, disk),
      /before that term/,
    );
    assert.throws(
      () => checkPromise({ ...envelope, kind: "voteResponse", to: two, granted: true }, disk),
      /before that vote/,
    );
    assert.throws(
      () =>
        checkPromise(
          { ...envelope, kind: "voteRequest", lastEntry: id(5, 2), leadershipTransfer: false },
          disk,
        ),
      /before that vote/,
    );
    assert.throws(
      () => checkPromise({ ...envelope, kind: "appendAccepted", match: logIndex(6) }, disk),
      /the disk ends at 5/,
    );
  });
});

describe("quorums", () => {
  const disk = (ofTerm: number, votedFor: typeof one, last: number) => ({
    hardState: { term: term(ofTerm), votedFor, commit: logIndex(0) },
    firstIndex: logIndex(1),
    termAt: (index: number) => (index <= last ? term(2) : undefined),
  });
  const voters = (...ids: (typeof one)[]) => ({
    voters: ids,
    outgoing: [],
    learners: [],
    context: new Uint8Array(),
  });

  it("refuses a leader without the votes of a majority, of either group", () => {
    const disks = new Map([
      [two, disk(2, one, 0)],
      [three, disk(2, three, 0)],
    ]);
    const leader = { id: one, term: term(2) };
    checkElection(leader, voters(one, two, three), (each) => disks.get(each));
    disks.set(two, disk(1, one, 0));
    assert.throws(() => checkElection(leader, voters(one, two, three), (each) => disks.get(each)), /1 of 3/);
    const joint = { ...voters(one), outgoing: [two, three] };
    assert.throws(() => checkElection(leader, joint, (each) => disks.get(each)), /0 of 2/);
    disks.set(two, disk(3, three, 0));
    disks.set(three, disk(3, three, 0));
    checkElection(leader, joint, (each) => disks.get(each));
  });

  it("refuses a commit without copies on a majority, and one of an earlier term", () => {
    const disks = new Map([
      [one, disk(2, one, 5)],
      [two, disk(2, one, 4)],
      [three, disk(2, one, 4)],
    ]);
    const commit = (index: number) => ({ term: term(2), committed: id(index, 2) });
    checkCommit(commit(4), voters(one, two, three), (each) => disks.get(each));
    assert.throws(() => checkCommit(commit(5), voters(one, two, three), (each) => disks.get(each)), /1 of 3/);
    assert.throws(
      () => checkCommit({ term: term(3), committed: id(4, 2) }, voters(one), (each) => disks.get(each)),
      /by counting/,
    );
    const joint = { ...voters(one), outgoing: [two, three] };
    assert.throws(() => checkCommit(commit(5), joint, (each) => disks.get(each)), /0 of 2/);
    // Half of an even number is no majority.
    assert.throws(() => checkCommit(commit(5), voters(one, two), (each) => disks.get(each)), /1 of 2/);
    const otherTerm = { term: term(3), committed: id(4, 3) };
    assert.throws(() => checkCommit(otherTerm, voters(two), (each) => disks.get(each)), /0 of 1/);
  });

  it("lets the next configuration commit more once the one before it is committed", () => {
    const disks = new Map([
      [one, disk(2, one, 5)],
      [two, disk(2, one, 4)],
      [three, disk(2, one, 3)],
    ]);
    const diskOf = (each: NodeId) => disks.get(each);
    const over = { term: term(2), committed: id(5, 2), first: id(4, 2) };
    const joint = { ...voters(one), outgoing: [one, two, three] };
    assert.equal(isCommitted(id(4, 2), joint, diskOf), true);
    assert.equal(isCommitted(id(5, 2), joint, diskOf), false);
    checkCommitOver(over, [joint, voters(one)], diskOf);
    assert.throws(() => checkCommitOver(over, [joint, voters(one, two)], diskOf), /entry 5 .* 1 of 2/);
    const early = { ...over, first: id(5, 2) };
    assert.throws(() => checkCommitOver(early, [joint, voters(one)], diskOf), /at 5 was replaced .* 1 of 3/);
  });

  it("takes what was dropped behind a snapshot for a copy, and a damaged disk for a good one", () => {
    const compacted = { ...disk(2, one, 0), firstIndex: logIndex(6) };
    const commit = { term: term(2), committed: id(5, 2) };
    checkCommit(commit, voters(one), () => compacted);
    const atTheEnd = { ...commit, committed: id(6, 2) };
    assert.throws(() => checkCommit(atTheEnd, voters(one), () => compacted), /0 of 1/);
    checkCommit(commit, voters(one, two, three), (each) => (each === one ? disk(2, one, 0) : undefined));
    checkElection({ id: one, term: term(2) }, voters(two), () => undefined);
    // Its own vote counts as any other.
    const alone = (): void => {
      checkElection({ id: one, term: term(2) }, voters(one), () => disk(1, two, 0));
    };
    assert.throws(alone, /0 of 1/);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decideAppend, isWellFormed } from "../src/append.ts";
import type { AppendEntries, PreVoteRequest, VoteRequest } from "../src/messages.ts";
import { type EntryId, logIndex, noEntry, term } from "../src/types.ts";
import { decidePreVote, decideVote, isUpToDate, type Voter } from "../src/vote.ts";
import { MemoryLog } from "./memory-log.ts";
import { at, entries, n } from "./solo.ts";

const envelope = { from: n(2), to: n(1), term: term(9) };

function append(prev: EntryId, terms: readonly number[]): AppendEntries {
  return {
    ...envelope,
    kind: "appendEntries",
    prev,
    entries: entries(terms, prev.index + 1),
    commit: logIndex(0),
  };
}

describe("decideAppend", () => {
  const log = new MemoryLog(entries([1, 1, 2, 2]));
  const view = { committed: logIndex(1), termAt: log.termAt.bind(log) };
  const cases: readonly {
    readonly name: string;
    readonly request: AppendEntries;
    readonly from: number | "missingPrev" | "nothing";
  }[] = [
    { name: "everything is new", request: append(at(4, 2), [3, 3]), from: 5 },
    { name: "nothing is new", request: append(at(2, 1), [2, 2]), from: "nothing" },
    { name: "an old, shorter request takes nothing away", request: append(at(2, 1), [2]), from: "nothing" },
    { name: "an empty request", request: append(at(3, 2), []), from: "nothing" },
    { name: "the beginning is known", request: append(at(2, 1), [2, 2, 4]), from: 5 },
    { name: "a conflict replaces the rest", request: append(at(2, 1), [2, 4, 4]), from: 4 },
    { name: "a conflict at once", request: append(at(2, 1), [4]), from: 3 },
    { name: "prev is beyond the end", request: append(at(6, 3), [3]), from: "missingPrev" },
    { name: "prev has another term", request: append(at(4, 3), [3]), from: "missingPrev" },
  ];
  for (const { name, request, from } of cases) {
    test(name, () => {
      const decision = decideAppend(view, request);
      const got = decision.kind === "missingPrev" ? decision.kind : (decision.entries[0]?.index ?? "nothing");
      assert.equal(got, from);
      if (decision.kind === "append")
        assert.ok(decision.entries.at(-1) === (from === "nothing" ? undefined : request.entries.at(-1)));
    });
  }
});

describe("isWellFormed", () => {
  const cases: readonly {
    readonly name: string;
    readonly request: AppendEntries;
    readonly expected: boolean;
  }[] = [
    { name: "the first entries of all", request: append(noEntry, [1, 2]), expected: true },
    { name: "terms may stand still and rise", request: append(at(3, 2), [2, 2, 5, 9]), expected: true },
    { name: "a term above the leader's", request: append(at(3, 2), [10]), expected: false },
    { name: "a prev above the leader's term", request: append(at(3, 10), []), expected: false },
    { name: "terms that fall", request: append(at(3, 2), [5, 4]), expected: false },
    { name: "a term below prev's", request: append(at(3, 5), [4]), expected: false },
    {
      name: "a gap after prev",
      request: { ...append(at(3, 2), []), entries: entries([2], 5) },
      expected: false,
    },
    { name: "prev 0 with a term", request: append(at(0, 1), [1]), expected: false },
    { name: "a prev without a term", request: append(at(2, 0), [1]), expected: false },
    { name: "an entry without a term", request: append(noEntry, [0]), expected: false },
  ];
  for (const { name, request, expected } of cases) {
    test(name, () => {
      assert.equal(isWellFormed(request), expected);
    });
  }
});

test("isUpToDate compares last terms as numbers first, then lengths", () => {
  const ours = at(10, 9);
  assert.equal(isUpToDate(at(10, 9), ours), true, "equal");
  assert.equal(isUpToDate(at(11, 9), ours), true, "longer");
  assert.equal(isUpToDate(at(9, 9), ours), false, "shorter");
  assert.equal(isUpToDate(at(1, 10), ours), true, "a later term beats any length");
  assert.equal(isUpToDate(at(100, 8), ours), false, "an earlier term loses with any length");
  assert.equal(isUpToDate(noEntry, noEntry), true, "two empty logs");
});

const voter: Voter = { term: term(5), votedFor: undefined, lastEntry: at(3, 4), hearsLeader: false };

describe("decideVote", () => {
  const request: VoteRequest = {
    ...envelope,
    term: term(5),
    kind: "voteRequest",
    lastEntry: at(3, 4),
    leadershipTransfer: false,
  };
  const decide = (change: Partial<VoteRequest>, state: Partial<Voter> = {}): string => {
    const decision = decideVote({ ...request, ...change }, { ...voter, ...state });
    return decision.kind === "grant" ? "grant" : decision.because;
  };
  test("grants the first who asks with a log as good as ours", () => {
    assert.equal(decide({}), "grant");
  });
  test("grants the same candidate again", () => {
    assert.equal(decide({}, { votedFor: n(2) }), "grant");
  });
  test("refuses another in the same term", () => {
    assert.equal(decide({}, { votedFor: n(3) }), "votedForOther");
  });
  test("refuses a stale term", () => {
    assert.equal(decide({ term: term(4) }), "staleTerm");
  });
  test("refuses a log that is behind", () => {
    assert.equal(decide({ lastEntry: at(2, 4) }), "logBehind");
  });
});

describe("decidePreVote", () => {
  const request: PreVoteRequest = { ...envelope, term: term(6), kind: "preVoteRequest", lastEntry: at(3, 4) };
  const decide = (change: Partial<PreVoteRequest>, state: Partial<Voter> = {}): string => {
    const decision = decidePreVote({ ...request, ...change }, { ...voter, ...state });
    return decision.kind === "grant" ? "grant" : decision.because;
  };
  test("grants whoever could win the next term", () => {
    assert.equal(decide({}), "grant");
    assert.equal(decide({}, { votedFor: n(3) }), "grant", "the vote of this term does not bind in the next");
  });
  test("refuses while a leader is heard", () => {
    assert.equal(decide({}, { hearsLeader: true }), "leaderAlive");
  });
  test("refuses a log that is behind", () => {
    assert.equal(decide({ lastEntry: at(9, 3) }), "logBehind");
  });
  test("refuses a term that is over, and one in which the vote is given", () => {
    assert.equal(decide({ term: term(4) }), "staleTerm");
    assert.equal(decide({ term: term(5) }, { votedFor: n(3) }), "votedForOther");
    assert.equal(decide({ term: term(5) }, { votedFor: n(2) }), "grant");
  });
});

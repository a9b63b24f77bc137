import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvariantViolation } from "../src/assert.ts";
import { jointReached, jointVote } from "../src/quorum/joint.ts";
import { majorityReached, majoritySize, majorityVote } from "../src/quorum/majority.ts";
import type { NodeId } from "../src/types.ts";
import { n } from "./solo.ts";
import { rowsOf } from "./table.ts";

interface Case {
  /** The voters' counts or votes, one list for each group. */
  readonly groups: readonly (readonly string[])[];
  readonly expected: string;
  readonly why: string;
}

/** Reads a table of `voters | expected | why`, or with more than one column of voters. */
function table(name: string): readonly Case[] {
  return rowsOf(`quorum/${name}`).map((columns) => {
    const [expected, why] = columns.slice(-2);
    assert.ok(expected !== undefined && why !== undefined, `voters, what is expected, and why: ${name}`);
    const groups = columns.slice(0, -2).map((voters) => (voters === "" ? [] : voters.split(/\s+/)));
    return { groups, expected, why };
  });
}

/** Voters 1, 2, … and what each has. */
function group<Value>(values: readonly Value[]): { voters: readonly NodeId[]; of: (voter: NodeId) => Value } {
  const voters = values.map((_, position) => n(position + 1));
  const byVoter = new Map(values.map((value, position) => [n(position + 1), value]));
  return {
    voters,
    of: (voter) => {
      const value = byVoter.get(voter);
      assert.ok(value !== undefined || byVoter.has(voter), "only voters are asked");
      return value as Value;
    },
  };
}

describe("majorityReached, by table", () => {
  for (const {
    groups: [voters = []],
    expected,
    why,
  } of table("majority-reached.txt")) {
    test(`${voters.join(" ")} is ${expected}: ${why}`, () => {
      const { voters: ids, of } = group(voters.map((count) => (count === "_" ? 0 : Number(count))));
      assert.equal(majorityReached(ids, of), Number(expected));
    });
  }
});

describe("majorityVote, by table", () => {
  for (const {
    groups: [voters = []],
    expected,
    why,
  } of table("majority-vote.txt")) {
    test(`${voters.join(" ")} is ${expected}: ${why}`, () => {
      const { voters: ids, of } = group(voters.map((vote) => (vote === "_" ? undefined : vote === "y")));
      assert.equal(majorityVote(ids, of), expected);
    });
  }
});

/** Two groups; voters with a name in the table are the same in both. */
function twoGroups(groups: readonly (readonly string[])[]): {
  voters: readonly NodeId[];
  outgoing: readonly NodeId[];
  of: (voter: NodeId) => string;
} {
  const named = new Map<string, NodeId>();
  const valueById = new Map<NodeId, string>();
  const [voters = [], outgoing = []] = groups.map((group) =>
    group.map((cell): NodeId => {
      const [name, value] = cell.includes("=") ? cell.split("=") : [undefined, cell];
      const id = (name === undefined ? undefined : named.get(name)) ?? n(valueById.size + 1);
      if (name !== undefined) named.set(name, id);
      valueById.set(id, value ?? "");
      return id;
    }),
  );
  return { voters, outgoing, of: (voter) => valueById.get(voter) ?? "" };
}

describe("jointReached, by table", () => {
  for (const { groups, expected, why } of table("joint-reached.txt")) {
    test(`${groups.map((group) => group.join(" ")).join(" and ")} is ${expected}: ${why}`, () => {
      const { voters, outgoing, of } = twoGroups(groups);
      const reached = (voter: NodeId): number => (of(voter) === "_" ? 0 : Number(of(voter)));
      assert.equal(jointReached({ voters, outgoing }, reached), Number(expected));
    });
  }
});

describe("jointVote, by table", () => {
  for (const { groups, expected, why } of table("joint-vote.txt")) {
    test(`${groups.map((group) => group.join(" ")).join(" and ")} is ${expected}: ${why}`, () => {
      const { voters, outgoing, of } = twoGroups(groups);
      const voteOf = (voter: NodeId): boolean | undefined =>
        of(voter) === "_" ? undefined : of(voter) === "y";
      assert.equal(jointVote({ voters, outgoing }, voteOf), expected);
    });
  }
});

/** Every group of members that is larger than the rest. */
function majorities<Member>(members: readonly Member[]): readonly (readonly Member[])[] {
  const subsets = Array.from({ length: 2 ** members.length }, (_, subset) =>
    members.filter((_member, position) => Math.floor(subset / 2 ** position) % 2 === 1),
  );
  return subsets.filter((subset) => subset.length * 2 > members.length);
}

test("a majority has reached exactly what all members of some majority have reached", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), (counts) => {
      const { voters, of } = group(counts);
      const bruteForce = Math.max(...majorities(voters).map((some) => Math.min(...some.map(of))));
      assert.equal(majorityReached(voters, of), bruteForce);
    }),
  );
});

test("a vote is won when some majority said yes, and lost when none can any more", () => {
  const vote = fc.constantFrom(true, false, undefined);
  fc.assert(
    fc.property(fc.array(vote, { minLength: 1, maxLength: 7 }), (votes) => {
      const { voters, of } = group(votes);
      const isWon = majorities(voters).some((some) => some.every((voter) => of(voter) === true));
      const isOpen = majorities(voters).some((some) => some.every((voter) => of(voter) !== false));
      assert.equal(majorityVote(voters, of), isWon ? "won" : isOpen ? "pending" : "lost");
    }),
  );
});

/** Two groups out of nodes 1 to 7, the second perhaps empty, and what each node has. */
function groupsWith<Value>(
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<{ voters: NodeId[]; outgoing: NodeId[]; of: (voter: NodeId) => Value }> {
  const ids = [1, 2, 3, 4, 5, 6, 7].map(n);
  return fc
    .tuple(
      fc.subarray(ids, { minLength: 1, maxLength: 5 }),
      fc.subarray(ids, { maxLength: 5 }),
      fc.array(value, { minLength: 7, maxLength: 7 }),
    )
    .map(([voters, outgoing, values]) => ({
      voters,
      outgoing,
      of: (voter) => values[ids.indexOf(voter)] as Value,
    }));
}

/** Every group of nodes that may decide: a majority of each group of voters is in it. */
function quorums(voters: readonly NodeId[], outgoing: readonly NodeId[]): readonly (readonly NodeId[])[] {
  if (outgoing.length === 0) return majorities(voters);
  return majorities(voters).flatMap((some) => majorities(outgoing).map((others) => [...some, ...others]));
}

test("two groups have reached exactly what all members of some quorum of both have reached", () => {
  fc.assert(
    fc.property(groupsWith(fc.nat(20)), ({ voters, outgoing, of }) => {
      const bruteForce = Math.max(...quorums(voters, outgoing).map((some) => Math.min(...some.map(of))));
      assert.equal(jointReached({ voters, outgoing }, of), bruteForce);
    }),
  );
});

test("a vote of two groups is won when some quorum of both said yes, and lost when none can any more", () => {
  fc.assert(
    fc.property(groupsWith(fc.constantFrom(true, false, undefined)), ({ voters, outgoing, of }) => {
      const all = quorums(voters, outgoing);
      const isWon = all.some((some) => some.every((voter) => of(voter) === true));
      const isOpen = all.some((some) => some.every((voter) => of(voter) !== false));
      assert.equal(jointVote({ voters, outgoing }, of), isWon ? "won" : isOpen ? "pending" : "lost");
    }),
  );
});

test("any two majorities share a voter", () => {
  for (let size = 1; size <= 9; size += 1) {
    const voters = Array.from({ length: size }, (_, position) => n(position + 1));
    assert.ok(majoritySize(voters) * 2 > size, `of ${String(size)}`);
    assert.ok((majoritySize(voters) - 1) * 2 <= size, `of ${String(size)}, and no more than needed`);
  }
});

test("a group without voters is refused", () => {
  assert.throws(() => majorityReached([], () => 0), InvariantViolation);
  assert.throws(() => majorityVote([], () => true), InvariantViolation);
  assert.throws(() => jointReached({ voters: [], outgoing: [n(1)] }, () => 0), InvariantViolation);
});

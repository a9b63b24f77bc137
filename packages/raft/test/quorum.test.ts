import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvariantViolation } from "../src/assert.ts";
import { majorityReached, majoritySize, majorityVote } from "../src/quorum/majority.ts";
import type { NodeId } from "../src/types.ts";
import { n } from "./solo.ts";

interface Case {
  readonly voters: readonly string[];
  readonly expected: string;
  readonly why: string;
}

/** Reads a table of `voters | expected | why`, without comments and empty lines. */
function table(name: string): readonly Case[] {
  const text = readFileSync(new URL(`quorum/${name}`, import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  assert.ok(lines.length > 20, "the table is there");
  return lines.map((line) => {
    const [voters, expected, why] = line.split("|").map((column) => column.trim());
    assert.ok(voters !== undefined && expected !== undefined && why !== undefined, `three columns: ${line}`);
    return { voters: voters.split(/\s+/), expected, why };
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
  for (const { voters, expected, why } of table("majority-reached.txt")) {
    test(`${voters.join(" ")} is ${expected}: ${why}`, () => {
      const { voters: ids, of } = group(voters.map((count) => (count === "_" ? 0 : Number(count))));
      assert.equal(majorityReached(ids, of), Number(expected));
    });
  }
});

describe("majorityVote, by table", () => {
  for (const { voters, expected, why } of table("majority-vote.txt")) {
    test(`${voters.join(" ")} is ${expected}: ${why}`, () => {
      const { voters: ids, of } = group(voters.map((vote) => (vote === "_" ? undefined : vote === "y")));
      assert.equal(majorityVote(ids, of), expected);
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
});

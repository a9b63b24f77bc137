/**
 * Who takes part, and how one configuration leads to the next: tables, and brute force over all small ones.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InvariantViolation } from "../src/assert.ts";
import { changed, left, type MemberChange } from "../src/configuration/change.ts";
import {
  type Configuration,
  flawOf,
  isJoint,
  isVoter,
  membersOf,
  noMembers,
} from "../src/configuration/configuration.ts";
import { formatConfiguration } from "../src/format.ts";
import { majoritySize } from "../src/quorum/majority.ts";
import type { NodeId } from "../src/types.ts";
import { bytes, memberChange, members, n } from "./solo.ts";
import { rowsOf } from "./table.ts";

const context = bytes("context");

/** Reads what formatConfiguration writes. */
function parse(text: string): Configuration {
  const groups = new Map(
    text.split(/\s+/).map((group): [string, number[]] => {
      const [name = "", ids = ""] = group.split("=");
      return [name, ids.split(",").map(Number)];
    }),
  );
  const of = (name: string): number[] => groups.get(name) ?? [];
  return members(of("voters"), { outgoing: of("outgoing"), learners: of("learners") });
}

describe("changed, by table", () => {
  for (const [before = "", changes = "", expected, why] of rowsOf("configuration/changes.txt")) {
    test(`${before} ${changes} leads to ${String(expected)}: ${String(why)}`, () => {
      const wishes = changes === "" ? [] : changes.split(/\s+/).map(memberChange);
      const outcome = changed(parse(before), wishes, context);
      const text =
        outcome.kind === "changed"
          ? formatConfiguration(outcome.configuration)
          : `refused: ${outcome.because}`;
      assert.equal(text, expected);
      if (outcome.kind === "changed") assert.equal(outcome.configuration.context, context);
    });
  }
});

test("a joint configuration leads to its incoming voters, and keeps the rest", () => {
  const joint = { ...members([1, 2, 4], { outgoing: [1, 2, 3], learners: [3, 5] }), context };
  assert.deepEqual(left(joint), { ...members([1, 2, 4], { learners: [3, 5] }), context });
  assert.throws(() => left(members([1])), InvariantViolation);
  assert.throws(() => changed(joint, [], context), InvariantViolation, "and nowhere else");
});

test("who is in either group of voters has a vote; learners and strangers have none", () => {
  const joint = members([1, 2], { outgoing: [2, 3], learners: [3, 4] });
  assert.deepEqual(
    [1, 2, 3, 4, 5].filter((id) => isVoter(joint, n(id))),
    [1, 2, 3],
  );
  assert.deepEqual([...membersOf(joint)], [1, 2, 3, 4].map(n), "and each member is one");
  assert.ok(isJoint(joint) && !isJoint(noMembers) && !isJoint(members([1])));
});

test("what can be no configuration has a flaw", () => {
  const flawed = [
    members([1, 1]),
    members([1], { outgoing: [2, 2] }),
    members([1], { learners: [2, 2] }),
    members([1, 2], { learners: [2] }),
    members([], { outgoing: [1] }),
    members([], { learners: [1] }),
  ];
  for (const one of flawed) assert.notEqual(flawOf(one), undefined, formatConfiguration(one));
  for (const one of [noMembers, members([1]), members([1], { outgoing: [2], learners: [2, 3] })])
    assert.equal(flawOf(one), undefined, formatConfiguration(one));
});

/** All subsets of the members, as numbers whose bits are the members. */
function majorityMasks(group: readonly NodeId[]): readonly number[] {
  const all = group.reduce((mask, id) => mask | bit(id), 0);
  return Array.from({ length: 256 }, (_, mask) => mask).filter(
    (mask) => (mask & ~all) === 0 && count(mask) >= majoritySize(group),
  );
}

const bit = (id: NodeId): number => 1 << Number(id);
const count = (mask: number): number => mask.toString(2).replaceAll("0", "").length;

/** Every set of nodes that may decide by a configuration, and no larger than it must be. */
function quorumsOf({ voters, outgoing }: Configuration): readonly number[] {
  const incoming = majorityMasks(voters);
  if (outgoing.length === 0) return incoming;
  const leaving = majorityMasks(outgoing);
  return [...new Set(incoming.flatMap((one) => leaving.map((other) => one | other)))];
}

function checkOverlap(before: Configuration, after: Configuration): void {
  const others = quorumsOf(after);
  for (const one of quorumsOf(before))
    for (const other of others)
      assert.notEqual(one & other, 0, `${formatConfiguration(before)}, then ${formatConfiguration(after)}`);
}

/** All groups of one or more of the first `size` nodes. */
function groupsOf(size: number): readonly (readonly NodeId[])[] {
  const ids = Array.from({ length: size }, (_, position) => n(position + 1));
  return Array.from({ length: 2 ** size - 1 }, (_, mask) =>
    ids.filter((_id, position) => ((mask + 1) >> position) % 2 === 1),
  );
}

function changesBetween(before: readonly NodeId[], after: readonly NodeId[]): readonly MemberChange[] {
  return [
    ...before.filter((id) => !after.includes(id)).map((id) => ({ kind: "remove", id }) as const),
    ...after.filter((id) => !before.includes(id)).map((id) => ({ kind: "addVoter", id }) as const),
  ];
}

test("one voter more or less, of up to seven: any quorum before and any after share a voter", () => {
  for (const voters of groupsOf(7)) {
    const before = members(voters.map(Number));
    for (const id of [1, 2, 3, 4, 5, 6, 7].map(n)) {
      const kind = voters.includes(id) ? "remove" : "addVoter";
      const outcome = changed(before, [{ kind, id }], context);
      if (outcome.kind === "refused") assert.deepEqual(voters, [id], "only the last one may not go");
      else checkOverlap(before, outcome.configuration);
    }
  }
});

test("any voters for any others, of up to five: quorums share a voter on the way into and out of joint", () => {
  const groups = groupsOf(5);
  for (const voters of groups) {
    const before = members(voters.map(Number));
    for (const wanted of groups) {
      const outcome = changed(before, changesBetween(voters, wanted), context);
      assert.equal(outcome.kind, "changed");
      if (outcome.kind !== "changed") continue;
      const { configuration } = outcome;
      checkOverlap(before, configuration);
      if (isJoint(configuration)) checkOverlap(configuration, left(configuration));
      const reached = isJoint(configuration) ? left(configuration) : configuration;
      assert.deepEqual(new Set(reached.voters), new Set(wanted), "and the way ends where it should");
    }
  }
});

test("two that differ would not do in one step: quorums that share nobody exist", () => {
  const share = (before: number[], after: number[]): boolean =>
    quorumsOf(members(before)).every((one) =>
      quorumsOf(members(after)).every((other) => (one & other) !== 0),
    );
  assert.ok(share([1, 2, 3], [1, 2, 3, 4]));
  assert.ok(!share([1, 2, 3], [1, 2, 3, 4, 5]));
  assert.ok(!share([1, 2, 3], [1, 2, 4]));
});

test("any changes one after the other lead through sound configurations whose quorums share a voter", () => {
  const id = fc.integer({ min: 1, max: 7 }).map(n);
  const change = fc.record({ kind: fc.constantFrom("addLearner", "addVoter", "remove"), id });
  const wishes = fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 8 });
  fc.assert(
    fc.property(wishes, (all: readonly (readonly MemberChange[])[]) => {
      let now = members([1, 2, 3]);
      const goTo = (next: Configuration): void => {
        assert.equal(flawOf(next), undefined);
        assert.ok(next.voters.length > 0);
        checkOverlap(now, next);
        now = next;
      };
      for (const changes of all) {
        const outcome = changed(now, changes, context);
        if (outcome.kind === "refused") continue;
        goTo(outcome.configuration);
        if (isJoint(now)) goTo(left(now));
        for (const { id: who, kind } of changes.slice(-1)) checkGranted(now, who, kind);
      }
    }),
  );
});

/** The last of several changes is what came of it. */
function checkGranted({ voters, learners }: Configuration, id: NodeId, kind: MemberChange["kind"]): void {
  if (kind === "addVoter") assert.ok(voters.includes(id));
  if (kind === "addLearner") assert.ok(voters.includes(id) || learners.includes(id));
  if (kind === "remove") assert.ok(!voters.includes(id) && !learners.includes(id));
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Configuration, nodeId } from "@dkv/raft";
import { encodeMembership, type MemberRow } from "../../../src/codec/membership-codec.ts";
import type { MembershipChange } from "../../../src/consensus/member.ts";
import { plan, type Plan } from "../../../src/consensus/membership/plan.ts";
import { MembershipTable } from "../../../src/consensus/membership/table.ts";
import { DkvError } from "../../../src/platform/errors.ts";

const row = (id: number, more: Partial<MemberRow> = {}): MemberRow => ({
  id: nodeId(BigInt(id)),
  name: `m${String(id)}`,
  peerAddress: `host${String(id)}:2380`,
  incarnation: 0n,
  ...more,
});

interface Shape {
  readonly rows?: readonly MemberRow[];
  readonly voters?: readonly number[];
  readonly learners?: readonly number[];
}

function tableOf({
  rows = [row(1), row(2), row(3)],
  voters = [1, 2, 3],
  learners = [],
}: Shape = {}): MembershipTable {
  const ids = (list: readonly number[]) => list.map((id) => nodeId(BigInt(id)));
  const configuration: Configuration = {
    voters: ids(voters),
    outgoing: [],
    learners: ids(learners),
    context: encodeMembership({ rows, history: 0n }),
  };
  return new MembershipTable(configuration);
}

interface Circumstances {
  readonly silent?: readonly number[];
  readonly behind?: readonly number[];
  readonly newId?: number;
}

function planned(
  change: MembershipChange,
  table = tableOf(),
  { silent = [], behind = [], newId = 9 }: Circumstances = {},
): Plan {
  const isNone = (list: readonly number[]) => (id: bigint) => !list.includes(Number(id));
  return plan({ change, newId: nodeId(BigInt(newId)) }, table, {
    isAnswering: isNone(silent),
    isCaughtUp: isNone(behind),
  });
}

function refusalOf(result: Plan): string {
  assert.equal(result.kind, "refused");
  assert.ok(result.kind === "refused" && result.error instanceof DkvError);
  return result.error.code;
}

function changesOf(result: Plan): readonly string[] {
  assert.ok(result.kind === "step");
  return result.changes.map(({ kind, id }) => `${kind} ${String(id)}`);
}

const join = (name: string, peerAddress: string): MembershipChange => ({ kind: "join", name, peerAddress });

describe("a member that joins", () => {
  it("becomes a learner under the id that was drawn for it", () => {
    const result = planned(join("m4", "host4:2380"));
    assert.deepEqual(changesOf(result), ["addLearner 9"]);
    assert.ok(result.kind === "step");
    assert.deepEqual(result.rows.at(-1), row(9, { name: "m4", peerAddress: "host4:2380" }));
  });

  it("is there already under the same name and address", () => {
    assert.equal(planned(join("m2", "host2:2380")).kind, "done");
  });

  it("is not added a second time by the same wish, even when it has been removed since", () => {
    const table = tableOf({ rows: [row(1), row(9, { name: "m4" })], voters: [1] });
    assert.equal(planned(join("m4", "host4:2380"), table).kind, "done");
  });

  it("cannot take another member's name or address", () => {
    assert.equal(refusalOf(planned(join("m2", "elsewhere:2380"))), "memberExists");
    assert.equal(refusalOf(planned(join("m4", "host2:2380"))), "memberExists");
  });

  it("may have the name and the address of a member that was removed", () => {
    const table = tableOf({ voters: [1, 2] });
    assert.deepEqual(changesOf(planned(join("m3", "host3:2380"), table)), ["addLearner 9"]);
  });
});

describe("a member that leaves", () => {
  it("is removed, and its row is kept so that it stays gone", () => {
    const result = planned({ kind: "leave", name: "m3" });
    assert.deepEqual(changesOf(result), ["remove 3"]);
    assert.ok(result.kind === "step");
    assert.equal(result.rows.length, 3);
  });

  it("is only the one that is about to take its place, if there is one of the same name", () => {
    const pair = tableOf({
      rows: [row(1), row(2), row(3), row(4, { name: "m3", replaces: nodeId(3n) })],
      learners: [4],
    });
    assert.deepEqual(changesOf(planned({ kind: "leave", name: "m3" }, pair)), ["remove 4"]);
  });

  it("is gone already", () => {
    assert.equal(planned({ kind: "leave", name: "m3" }, tableOf({ voters: [1, 2] })).kind, "done");
  });

  it("must have been one", () => {
    assert.equal(refusalOf(planned({ kind: "leave", name: "m7" })), "unknownMember");
  });

  it("stays while those that remain could not agree without it", () => {
    assert.equal(
      refusalOf(planned({ kind: "leave", name: "m3" }, tableOf(), { silent: [2] })),
      "quorumAtRisk",
    );
    assert.equal(planned({ kind: "leave", name: "m2" }, tableOf(), { silent: [2] }).kind, "step");
  });

  it("is not the last voter", () => {
    const alone = tableOf({ rows: [row(1), row(2)], voters: [1], learners: [2] });
    assert.equal(refusalOf(planned({ kind: "leave", name: "m1" }, alone)), "quorumAtRisk");
    assert.deepEqual(changesOf(planned({ kind: "leave", name: "m2" }, alone)), ["remove 2"]);
  });
});

describe("a learner that is promoted", () => {
  const table = tableOf({ rows: [row(1), row(2), row(3), row(4)], learners: [4] });

  it("becomes a voter", () => {
    assert.deepEqual(changesOf(planned({ kind: "promote", name: "m4" }, table)), ["addVoter 4"]);
  });

  it("has to have caught up", () => {
    const result = planned({ kind: "promote", name: "m4" }, table, { behind: [4] });
    assert.equal(refusalOf(result), "notCaughtUp");
  });

  it("is a voter already", () => {
    assert.equal(planned({ kind: "promote", name: "m2" }, table).kind, "done");
  });

  it("takes the place of the one that it replaces in the same step", () => {
    const replacing = tableOf({
      rows: [row(1), row(2), row(3), row(4, { name: "m3", replaces: nodeId(3n) })],
      learners: [4],
    });
    const result = planned({ kind: "promote", name: "m3" }, replacing);
    assert.deepEqual(changesOf(result), ["addVoter 4", "remove 3"]);
    assert.ok(result.kind === "step");
    assert.equal(result.rows.at(-1)?.replaces, undefined);
  });

  it("does not mind that the one it replaces was removed before", () => {
    const table = tableOf({
      rows: [row(1), row(2), row(3), row(4, { replaces: nodeId(3n) })],
      voters: [1, 2],
      learners: [4],
    });
    assert.deepEqual(changesOf(planned({ kind: "promote", name: "m4" }, table)), ["addVoter 4"]);
  });
});

describe("a member that replaces another", () => {
  const replace = (old: string, name: string, peerAddress: string): MembershipChange => ({
    kind: "replace",
    old,
    name,
    peerAddress,
  });

  it("comes as a learner that knows whose place it takes", () => {
    const result = planned(replace("m3", "m4", "host4:2380"));
    assert.deepEqual(changesOf(result), ["addLearner 9"]);
    assert.ok(result.kind === "step");
    assert.equal(result.rows.at(-1)?.replaces, 3n);
  });

  it("may have the name and the address of the old one", () => {
    assert.deepEqual(changesOf(planned(replace("m3", "m3", "host3:2380"))), ["addLearner 9"]);
  });

  it("is under way already", () => {
    const table = tableOf({
      rows: [row(1), row(2), row(3), row(4, { replaces: nodeId(3n) })],
      learners: [4],
    });
    assert.equal(planned(replace("m3", "m4", "host4:2380"), table).kind, "done");
  });

  it("is the only one that takes that place", () => {
    const table = tableOf({
      rows: [row(1), row(2), row(3), row(4, { replaces: nodeId(3n) })],
      learners: [4],
    });
    assert.equal(refusalOf(planned(replace("m3", "m5", "host5:2380"), table)), "memberExists");
  });

  it("is not replaced itself before it has a vote, for the one before it would stay", () => {
    for (const name of ["m3", "m4"]) {
      const younger = row(4, { name, replaces: nodeId(3n) });
      const table = tableOf({ rows: [row(1), row(2), row(3), younger], learners: [4] });
      assert.equal(refusalOf(planned(replace(name, "m5", "host5:2380"), table)), "memberExists");
      const alone = tableOf({ rows: [row(1), row(2), row(3), younger], voters: [1, 2], learners: [4] });
      assert.deepEqual(changesOf(planned(replace(name, "m5", "host5:2380"), alone)), ["addLearner 9"]);
    }
  });

  it("has replaced it already", () => {
    const table = tableOf({ rows: [row(1), row(2), row(3), row(4)], voters: [1, 2, 4] });
    assert.equal(planned(replace("m3", "m4", "host4:2380"), table).kind, "done");
  });

  it("is no other member, and has no other member's address", () => {
    assert.equal(refusalOf(planned(replace("m3", "m2", "host4:2380"))), "memberExists");
    assert.equal(refusalOf(planned(replace("m3", "m4", "host2:2380"))), "memberExists");
    assert.equal(refusalOf(planned(replace("m7", "m4", "host4:2380"))), "unknownMember");
  });
});

describe("a member that has moved", () => {
  const update = (name: string, peerAddress: string): MembershipChange => ({
    kind: "update",
    name,
    peerAddress,
  });

  it("gets its new address, and nothing else changes", () => {
    const result = planned(update("m2", "elsewhere:2380"));
    assert.deepEqual(changesOf(result), []);
    assert.ok(result.kind === "step");
    assert.deepEqual(
      result.rows.map(({ peerAddress }) => peerAddress),
      ["host1:2380", "elsewhere:2380", "host3:2380"],
    );
  });

  it("has it already", () => {
    assert.equal(planned(update("m2", "host2:2380")).kind, "done");
  });

  it("cannot take another member's", () => {
    assert.equal(refusalOf(planned(update("m2", "host3:2380"))), "memberExists");
    assert.equal(refusalOf(planned(update("m7", "host7:2380"))), "unknownMember");
  });
});

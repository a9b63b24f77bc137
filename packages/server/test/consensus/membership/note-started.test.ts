import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { initialConfiguration, nodeId } from "@dkv/raft";
import { encodeMembership, type MemberRow } from "../../../src/codec/membership-codec.ts";
import { noteStarted, type Started } from "../../../src/consensus/membership/note-started.ts";
import { MembershipTable } from "../../../src/consensus/membership/table.ts";

const ids = [1n, 2n, 3n].map(nodeId);

function table(rows: readonly Partial<MemberRow>[], voters = ids): MembershipTable {
  const whole = rows.map((row, at) => ({
    id: nodeId(BigInt(at + 1)),
    name: `m${String(at + 1)}`,
    peerAddress: `host${String(at + 1)}:2380`,
    incarnation: 5n,
    ...row,
  }));
  return new MembershipTable(initialConfiguration(voters, encodeMembership({ rows: whole, history: 1n })));
}

const knowing =
  (...known: readonly (Started | undefined)[]) =>
  (id: bigint) =>
    known[Number(id) - 1];
const silent: Started = { incarnation: 0n, ownName: "" };

/** Names and directories, as noted. */
const noted = (before: MembershipTable, knownOf: Parameters<typeof noteStarted>[1]) =>
  noteStarted(before, knownOf)?.map(({ name, incarnation }) => [name, incarnation]);

describe("what is noted of members that have started", () => {
  it("is whose data directory is which, once", () => {
    const known = knowing({ incarnation: 7n, ownName: "m1" }, { incarnation: 8n, ownName: "m2" }, silent);
    const before = table([{ incarnation: 0n }, {}, { incarnation: 0n }]);
    assert.deepEqual(noted(before, known), [
      ["m1", 7n],
      ["m2", 5n],
      ["m3", 0n],
    ]);
    assert.equal(noted(table([{}, {}, {}]), known), undefined);
  });

  it("is the name of one that was added without", () => {
    const before = table([{}, { name: "host2:2380" }, { name: "host3:2380" }]);
    assert.deepEqual(
      noted(
        before,
        knowing(undefined, { incarnation: 5n, ownName: "two" }, { incarnation: 5n, ownName: "two" }),
      ),
      [
        ["m1", 5n],
        ["two", 5n],
        ["host3:2380", 5n],
      ],
      "of two with one name the first has it",
    );
    assert.equal(noted(before, knowing(undefined, silent, undefined)), undefined);
  });

  it("is no other name of one that has a name, nor one that is taken, nor anything of who has left", () => {
    const other: Started = { incarnation: 5n, ownName: "other" };
    assert.equal(noted(table([{}, {}, {}]), knowing(other, other, other)), undefined);
    const taken: Started = { incarnation: 5n, ownName: "m1" };
    assert.equal(noted(table([{}, { name: "host2:2380" }, {}]), knowing(undefined, taken)), undefined);
    const left = table([{}, {}, { name: "host3:2380", incarnation: 0n }], ids.slice(0, 2));
    assert.equal(noted(left, knowing(undefined, undefined, other)), undefined);
  });

  it("is no new name of one that calls itself by an address", () => {
    const before = table([{}, { name: "host2:2380" }, {}]);
    assert.equal(noted(before, knowing(undefined, { incarnation: 5n, ownName: "host2:2380" })), undefined);
  });
});

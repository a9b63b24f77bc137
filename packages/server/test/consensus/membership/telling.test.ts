import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeConfiguration, initialConfiguration, logIndex, nodeId } from "@dkv/raft";
import { encodeMembership } from "../../../src/codec/membership-codec.ts";
import { introduce } from "../../../src/consensus/membership/telling.ts";

const [old, fresh] = [nodeId(1n), nodeId(2n)];
const rows = [
  { id: old, name: "old", peerAddress: "old:2380", incarnation: 7n },
  { id: fresh, name: "new", peerAddress: "new:2380", incarnation: 0n },
];
const added = {
  ...initialConfiguration([old], encodeMembership({ rows, history: 3n })),
  learners: [fresh],
};

/** A member that knows it since entry 5. */
const knowing = (leader: typeof old | undefined, commit: number) => ({
  status: () => ({
    configuration: { index: logIndex(5), configuration: added },
    commit: logIndex(commit),
    leader,
  }),
});

/** One that has no address to be found by. */
const called = (name: string) => ({ name, peerAddress: "" });

describe("a member that is asked who a new one is", () => {
  it("tells what is committed", () => {
    assert.deepEqual(introduce(knowing(old, 5), called("new")), {
      kind: "learner",
      memberId: fresh,
      peerAddress: "new:2380",
      configuration: encodeConfiguration(added),
    });
    assert.deepEqual(introduce(knowing(old, 5), called("old")), {
      kind: "voter",
      memberId: old,
      peerAddress: "old:2380",
    });
    assert.equal(introduce(knowing(old, 5), called("nobody")), undefined);
  });

  it("says while it hears no leader that it is not certain, whomever it knows of", () => {
    for (const name of ["new", "old", "nobody"])
      assert.deepEqual(introduce(knowing(undefined, 5), called(name)), {
        kind: "uncertain",
        reason: "no leader is known here yet",
      });
  });

  it("says what is not committed yet", () => {
    assert.deepEqual(introduce(knowing(old, 4), called("new")), {
      kind: "uncertain",
      reason: "that new was added is not committed yet",
    });
  });

  it("finds one that was added without a name by its address, and nobody else", () => {
    const unnamed = rows.map((row) => (row.id === fresh ? { ...row, name: "new:2380" } : row));
    const table = { ...added, context: encodeMembership({ rows: unnamed, history: 3n }) };
    const asked = (configuration: typeof added, peerAddress: string) =>
      introduce(
        {
          status: () => ({
            configuration: { index: logIndex(5), configuration },
            commit: logIndex(5),
            leader: old,
          }),
        },
        { name: "any", peerAddress },
      )?.kind;
    assert.equal(asked(table, "new:2380"), "learner");
    assert.equal(asked(table, "old:2380"), undefined);
    assert.equal(asked(table, "other:2380"), undefined);
    assert.equal(asked({ ...table, voters: [old, fresh], learners: [] }, "new:2380"), undefined);
    assert.equal(asked(added, "new:2380"), undefined, "it has a name, and is asked for by another");
  });
});

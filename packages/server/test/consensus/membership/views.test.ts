import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type NodeId, nodeId } from "@dkv/raft";
import { describeQuorum } from "../../../src/consensus/membership/views.ts";

const ids = (...numbers: readonly number[]): readonly NodeId[] => numbers.map((one) => nodeId(BigInt(one)));

/** Members 1 to 5, of whom only these answer. */
const viewsOf = (...answering: readonly number[]) =>
  ids(1, 2, 3, 4, 5).map((id) => ({ id, isReachable: ids(...answering).includes(id) }));

describe("what is said of a quorum", () => {
  it("counts the voters who answer, and no learner", () => {
    assert.equal(
      describeQuorum(viewsOf(1, 4, 5), { voters: ids(1, 2, 3), outgoing: [] }),
      "1 of 3 members answer, 2 are needed",
    );
    assert.equal(
      describeQuorum(viewsOf(1, 2), { voters: ids(1, 2, 3, 4), outgoing: [] }),
      "2 of 4 members answer, 3 are needed",
    );
  });

  it("counts both groups while one takes over from the other", () => {
    assert.equal(
      describeQuorum(viewsOf(1, 4), { voters: ids(1, 2, 4), outgoing: ids(1, 2, 3) }),
      "2 of 3 members answer, 2 are needed; of those before them 1 of 3 members answer, 2 are needed",
    );
  });
});

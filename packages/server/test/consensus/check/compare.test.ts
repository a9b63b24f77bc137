import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, type NodeId, nodeId } from "@dkv/raft";
import { type Asked, compareHashes } from "../../../src/consensus/check/compare.ts";

/** Members 1, 2, … with a letter for each one's hash, or - for none; learners in brackets. */
function asked(text: string): readonly Asked[] {
  return text.split(" ").map((word, position) => {
    const letter = word.replaceAll(/[()]/g, "");
    const name = `m${String(position + 1)}`;
    const role = word.startsWith("(") ? ("learner" as const) : ("voter" as const);
    return {
      member: { id: nodeId(BigInt(position + 1)), name, peerAddress: "a:1", incarnation: 7n, role },
      answer:
        letter === "-"
          ? { kind: "none", reason: "silent" }
          : { kind: "hash", hash: Buffer.from(letter), revision: 7 },
    };
  });
}

const ids = (...numbers: readonly number[]): readonly NodeId[] => numbers.map((one) => nodeId(BigInt(one)));
const marks = { agrees: "=", differs: "!", noAnswer: "-" } as const;

function verdicts(text: string, voters: readonly NodeId[], outgoing: readonly NodeId[] = []): string {
  const { members, hasMajority } = compareHashes(logIndex(9), asked(text), { voters, outgoing });
  return `${members.map(({ verdict }) => marks[verdict]).join("")} ${hasMajority ? "majority" : "none"}`;
}

describe("the comparison of hashes", () => {
  const three = ids(1, 2, 3);

  for (const [what, answers, expected] of [
    ["all that agree", "a a a", "=== majority"],
    ["one that differs from a majority", "a b a", "=!= majority"],
    ["a majority without the others' answers", "a - a", "=-= majority"],
    ["no majority, although all who answered agree", "a - -", "=-- none"],
    ["no majority and two that differ: nobody is right", "a b -", "!!- none"],
    ["three different ones", "a b c", "!!! none"],
    ["nobody", "- - -", "--- none"],
    ["a learner that differs", "a a a (b)", "===! majority"],
    ["learners, who decide nothing", "a b - (b) (b)", "!!-!! none"],
  ] as const) {
    it(`says of ${what}: ${expected}`, () => {
      assert.equal(verdicts(answers, three), expected);
    });
  }

  it("needs a majority of both groups while one is being left", () => {
    assert.equal(verdicts("a a b b", ids(1, 2, 3), ids(2, 3, 4)), "!!!! none");
    assert.equal(verdicts("a a a b", ids(1, 2, 3), ids(2, 3, 4)), "===! majority");
  });

  it("tells each member's hash and revision, or why there is none", () => {
    const { members, index } = compareHashes(logIndex(9), asked("a -"), { voters: ids(1, 2), outgoing: [] });
    assert.equal(index, 9);
    const [first, second] = members;
    assert.deepEqual([first?.hash, first?.revision, first?.reason], [Buffer.from("a"), 7, undefined]);
    assert.deepEqual([second?.hash, second?.revision, second?.reason], [undefined, undefined, "silent"]);
  });
});

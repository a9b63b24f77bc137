import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { initialConfiguration, logIndex, nodeId, type NodeStatus, term } from "@dkv/raft";
import { successorIn } from "../../src/consensus/successor.ts";

const [self, near, far, learner] = [nodeId(1n), nodeId(2n), nodeId(3n), nodeId(4n)];

function statusWith(matches: ReadonlyMap<typeof self, number>, silent: readonly bigint[] = []): NodeStatus {
  const configuration = { ...initialConfiguration([self, near, far]), learners: [learner] };
  const followers = Array.from(matches, ([id, match]) => {
    const progress = { match: logIndex(match), next: logIndex(match + 1), state: "replicate" as const };
    return [id, { ...progress, recentlyActive: !silent.includes(id) }] as const;
  });
  return {
    id: self,
    role: "leader",
    term: term(1),
    leader: self,
    commit: logIndex(9),
    applied: logIndex(9),
    lastIndex: logIndex(9),
    configuration: { index: logIndex(0), configuration },
    followers: new Map(followers),
  };
}

const noPeers = { peers: () => [] };
const all = new Map([
  [learner, 9],
  [far, 7],
  [near, 8],
]);

describe("the successor of a leader", () => {
  it("is the voter nearest to its log, and no learner", () => {
    assert.equal(successorIn(statusWith(all), noPeers), near);
  });

  it("is one who was heard of lately", () => {
    assert.equal(successorIn(statusWith(all, [near]), noPeers), far);
    assert.equal(successorIn(statusWith(all, [near, far]), noPeers), undefined);
  });

  it("is one who is fit for it", () => {
    assert.equal(
      successorIn(statusWith(all), noPeers, (id) => id !== near),
      far,
    );
  });
});

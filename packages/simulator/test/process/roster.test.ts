import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Configuration, logIndex, type NodeId, nodeId, type RaftNode } from "@dkv/raft";
import { encodeMembership } from "@dkv/server/codec/membership-codec";
import { Roster } from "../../src/process/roster.ts";
import { Probes } from "../../src/world/probes.ts";

const [one, two, three, four] = [1n, 2n, 3n, 4n].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];

/** All four have rows; the third was to take the place of the first. */
function configuration(voters: readonly NodeId[], learners: readonly NodeId[] = []): Configuration {
  const rows = [one, two, three, four].map((id) => ({
    id,
    name: `m${String(id)}`,
    peerAddress: `10.0.0.${String(id)}:7000`,
    incarnation: 0n,
    ...(id === three && learners.includes(three) && { replaces: one }),
  }));
  return { voters, learners, outgoing: [], context: encodeMembership({ rows, history: 0n }) };
}

const at = (index: number, of: Configuration) => ({ index: logIndex(index), configuration: of });

function leaderWith(commit: number, latest: ReturnType<typeof at>): RaftNode {
  return { status: () => ({ commit: logIndex(commit), configuration: latest }) } as unknown as RaftNode;
}

function rosterOfTwo() {
  const probes = new Probes();
  const roster = new Roster(at(0, configuration([one, two])), probes);
  const count = () =>
    (["member joined", "learner promoted", "member replaced", "member left"] as const).map((probe) =>
      probes.count(probe),
    );
  return { roster, count };
}

describe("the roster of a run", () => {
  it("counts who comes, is promoted, takes a place and leaves, once a configuration is committed", () => {
    const { roster, count } = rosterOfTwo();
    const joined = at(5, configuration([one, two], [three]));
    roster.observe(leaderWith(4, joined));
    assert.deepEqual(count(), [0, 0, 0, 0]);
    roster.observe(leaderWith(5, joined));
    roster.observe(leaderWith(6, joined));
    assert.deepEqual(count(), [1, 0, 0, 0]);
    roster.observe(leaderWith(7, at(7, configuration([two, three]))));
    assert.deepEqual(count(), [1, 1, 1, 1]);
    roster.observe(leaderWith(9, at(8, configuration([two, three], [four]))));
    roster.observe(leaderWith(9, at(9, configuration([two, three, four]))));
    assert.deepEqual(count(), [2, 2, 1, 1]);
    assert.deepEqual(
      roster.members.map(({ name }) => name),
      ["m2", "m3", "m4"],
    );
  });

  it("knows of a removal once it is committed, from whichever machine has heard of it", () => {
    const { roster } = rosterOfTwo();
    const without = at(5, configuration([two]));
    roster.observe(leaderWith(4, without));
    assert.equal(roster.isRemoved(one, []), false);
    const configurations = [at(0, configuration([one, two])), without];
    const disk = (commit: number) =>
      ({ configurations, durableHardState: { commit: logIndex(commit) } }) as never;
    assert.equal(roster.isRemoved(one, [{ storage: disk(4), member: undefined }]), false);
    assert.equal(roster.isRemoved(one, [{ storage: disk(5), member: undefined }]), true);
  });

  it("knows from a process what its disk does not say yet", () => {
    const { roster } = rosterOfTwo();
    const without = at(5, configuration([two]));
    const storage = { configurations: [without], durableHardState: { commit: logIndex(0) } } as never;
    assert.equal(roster.isRemoved(one, [{ storage, member: { node: leaderWith(5, without) } }]), true);
    assert.equal(roster.isRemoved(two, []), false);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import { type Configuration, initialConfiguration, logIndex, nodeId, type NodeStatus, term } from "@dkv/raft";
import type { Alarm } from "@dkv/store";
import { Alarms } from "../../../src/consensus/check/alarms.ts";

const ids = (...numbers: readonly number[]) => numbers.map((one) => nodeId(BigInt(one)));
const about = (memberId: number, clusterId = 1): Alarm => ({
  clusterId: BigInt(clusterId),
  memberId: BigInt(memberId),
  kind: AlarmKind.CORRUPT,
});

interface Situation {
  readonly alarms: readonly Alarm[];
  readonly configuration: Configuration;
  /** The configuration's entry has index 5. */
  readonly commit?: number;
}

/** Those of member 1 of cluster 1. */
function alarmsIn({ alarms, configuration, commit = 5 }: Situation): Alarms {
  const status = (): NodeStatus => ({
    id: nodeId(1n),
    role: "leader",
    term: term(2),
    leader: nodeId(1n),
    commit: logIndex(commit),
    applied: logIndex(commit),
    lastIndex: logIndex(9),
    configuration: { index: logIndex(5), configuration },
    followers: new Map(),
  });
  return new Alarms({
    store: { alarms },
    identity: { clusterId: 1n, memberId: nodeId(1n) },
    status,
    propose: () => assert.fail("nothing is proposed"),
  });
}

describe("an alarm", () => {
  const three = initialConfiguration(ids(1, 2, 3));

  it("is in force for a member of this cluster, a learner as well", () => {
    const configuration = { ...three, learners: ids(4) };
    const alarms = alarmsIn({ alarms: [about(1), about(4)], configuration });
    assert.equal(alarms.isCorruptHere, true);
    assert.deepEqual(
      ids(1, 2, 4).map((id) => alarms.isCorrupt(id)),
      [true, false, true],
    );
    assert.deepEqual(alarms.void(), []);
  });

  it("of another cluster, or of another kind, is not in force", () => {
    const unknown = { ...about(2), kind: 7 as AlarmKind };
    const alarms = alarmsIn({ alarms: [about(1, 9), unknown], configuration: three });
    assert.deepEqual(
      ids(1, 2).map((id) => alarms.isCorrupt(id)),
      [false, false],
    );
    assert.deepEqual(alarms.void(), [about(1, 9)]);
  });

  it("about who was removed is void, once that is for good", () => {
    const alarms = [about(4)];
    assert.deepEqual(alarmsIn({ alarms, configuration: three }).void(), alarms);
    assert.equal(alarmsIn({ alarms, configuration: three }).isCorrupt(nodeId(4n)), false);
    assert.deepEqual(alarmsIn({ alarms, configuration: three, commit: 4 }).void(), []);
    const leaving = { ...three, outgoing: ids(1, 2, 5) };
    assert.deepEqual(alarmsIn({ alarms, configuration: leaving }).void(), []);
  });

  it("for want of room is in force for the last voter as well", () => {
    const configuration = initialConfiguration(ids(1));
    const alarms = [{ ...about(1), kind: AlarmKind.NO_SPACE }];
    assert.deepEqual(alarmsIn({ alarms, configuration }).void(), []);
    assert.equal(alarmsIn({ alarms, configuration }).isCorruptHere, false);
    assert.deepEqual(alarmsIn({ alarms, configuration: initialConfiguration(ids(2)) }).void(), alarms);
  });

  it("that somebody has declared is in force whoever it is about, and listed once with what was found", () => {
    const declared = { ...about(9), kind: AlarmKind.NO_SPACE_DECLARED };
    const found = { ...about(9), kind: AlarmKind.NO_SPACE };
    const ofAnother = { ...declared, clusterId: 9n };
    const alarms = alarmsIn({ alarms: [found, declared, ofAnother], configuration: three });
    assert.deepEqual(alarms.void(), [found, ofAnother]);
    assert.deepEqual(alarms.list(), [{ memberId: nodeId(9n), kind: "noSpace" }]);
  });

  it("about the last voter is void, and in force until it is lifted", () => {
    const configuration = { ...initialConfiguration(ids(1)), learners: ids(2) };
    const alarms = alarmsIn({ alarms: [about(1), about(2)], configuration });
    assert.deepEqual(alarms.void(), [about(1)]);
    assert.equal(alarms.isCorruptHere, true);
  });
});

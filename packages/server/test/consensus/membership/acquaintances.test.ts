import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConfigurationAt, initialConfiguration, logIndex, nodeId } from "@dkv/raft";
import { encodeMembership } from "../../../src/codec/membership-codec.ts";
import { Acquaintances } from "../../../src/consensus/membership/acquaintances.ts";
import { MembershipTable } from "../../../src/consensus/membership/table.ts";

const rows = [1, 2, 3].map((id) => ({
  id: nodeId(BigInt(id)),
  name: `m${String(id)}`,
  peerAddress: `host${String(id)}:2380`,
  incarnation: 7n,
}));

const at = (index: number, ...voters: readonly number[]): ConfigurationAt => knowing(rows, index, voters);

function knowing(known: typeof rows, index: number, voters: readonly number[]): ConfigurationAt {
  const ids = voters.map((id) => nodeId(BigInt(id)));
  const context = encodeMembership({ rows: known, history: 0n });
  return { index: logIndex(index), configuration: initialConfiguration(ids, context) };
}

const tableOf = ({ configuration }: ConfigurationAt): MembershipTable => new MembershipTable(configuration);

function observed(configurations: readonly [ConfigurationAt, ...ConfigurationAt[]], applied: number) {
  const seen = { peers: "", removed: "" };
  const transport = {
    setPeers: (peers: readonly { name: string }[], removed: ReadonlySet<bigint>) => {
      seen.peers = peers.map(({ name }) => name).join(" ");
      seen.removed = [...removed].join(" ");
    },
  };
  return { seen, acquaintances: new Acquaintances(transport, configurations, logIndex(applied)) };
}

describe("those whom a member talks to", () => {
  it("are those of the configuration in force", () => {
    const { seen } = observed([at(0, 1, 2)], 0);
    assert.deepEqual(seen, { peers: "m1 m2", removed: "3" });
  });

  it("still are those that leave, and are told nothing, until that is committed and applied", () => {
    const { seen, acquaintances } = observed([at(0, 1, 2, 3)], 0);
    acquaintances.changed(tableOf(at(5, 1, 2)));
    assert.deepEqual(seen, { peers: "m1 m2 m3", removed: "" });
    assert.equal(acquaintances.settled(tableOf(at(5, 1, 2)), nodeId(1n)), false);
    assert.deepEqual(seen, { peers: "m1 m2", removed: "3" });
  });

  it("are told nothing either if they came and left in what is not committed here yet", () => {
    const before = knowing(rows.slice(0, 2), 0, [1, 2]);
    const { seen, acquaintances } = observed([before], 0);
    acquaintances.changed(tableOf(at(6, 1, 2)));
    assert.deepEqual(seen, { peers: "m1 m2 m3", removed: "" });
    acquaintances.settled(tableOf(at(5, 1, 2, 3)), nodeId(1n));
    assert.deepEqual(seen, { peers: "m1 m2 m3", removed: "" });
    acquaintances.settled(tableOf(at(6, 1, 2)), nodeId(1n));
    assert.deepEqual(seen, { peers: "m1 m2", removed: "3" });
  });

  it("are those of the log to a new member, though it was introduced later than they left", () => {
    const { seen, acquaintances } = observed([at(0, 1, 2)], 0);
    acquaintances.changed(tableOf(at(2, 1, 2, 3)));
    assert.deepEqual(seen, { peers: "m1 m2 m3", removed: "" });
  });

  it("are the same after a restart in the middle of that", () => {
    const log = [at(0, 1, 2, 3), at(5, 1, 2)] as const;
    assert.deepEqual(observed(log, 4).seen, { peers: "m1 m2 m3", removed: "" });
    assert.deepEqual(observed(log, 5).seen, { peers: "m1 m2", removed: "3" });
  });

  it("are nobody any more to a member that was removed for good", () => {
    const { acquaintances } = observed([at(0, 1, 2, 3)], 0);
    assert.equal(acquaintances.settled(tableOf(at(5, 1, 2)), nodeId(3n)), true);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { caughtUp } from "../../src/api/caught-up.ts";
import { cluster, set } from "../consensus/cluster.ts";
import { hasEntries } from "../consensus/leases/fixtures.ts";

describe("a serializable read of a revision that another member has already", () => {
  it("waits for it, and only for that", async (test) => {
    const { network, leaderAndFollower } = await cluster(test, 3, { electionTimeoutMs: 1000 });
    const { leader, follower } = await leaderAndFollower();
    await caughtUp(follower.replica, { serializable: false, revision: 0n });
    network.rule = (passage) => (passage.to === follower.id && hasEntries(passage) ? "hold" : "pass");
    const { revision } = await leader.replica.propose(set("key", "value"));
    const before = follower.replica.status().revision;
    assert.ok(before < revision);
    const there = caughtUp(follower.replica, { serializable: true, revision: BigInt(revision) });
    await caughtUp(follower.replica, { serializable: true, revision: BigInt(before) });
    await caughtUp(follower.replica, { serializable: true, revision: 0n });
    assert.equal(follower.replica.status().revision, before);
    network.rule = () => "pass";
    network.release();
    await there;
    assert.equal(follower.replica.status().revision, revision);
  });
});

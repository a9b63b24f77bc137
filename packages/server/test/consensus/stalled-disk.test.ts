import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "../../src/platform/errors.ts";
import { cluster, set, until } from "./cluster.ts";

const stalled = "the disk has not stored a log batch for an election timeout";
const isOverloaded = (error: unknown): boolean => error instanceof DkvError && error.code === "overloaded";

describe("a leader whose disk hangs", () => {
  it("lets another member lead, says so once, and answers its own callers when the disk is back", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    leader.disk.log.hang();
    const own = leader.replica.propose(set("own", "value"));
    const late = leader.replica.propose(set("late", "value"));
    assert.equal((await follower.replica.propose(set("key", "value"))).kind, "set");
    assert.notEqual(follower.replica.status().leaderId, leader.id);
    leader.disk.log.heal();
    assert.equal((await own).kind, "set");
    assert.equal((await late).kind, "set");
    assert.deepEqual(leader.warnings, [stalled]);
  });

  it("refuses writes when nobody can lead in its place", async (test) => {
    const { leader: aLeader } = await cluster(test, 1);
    const leader = await aLeader();
    await leader.replica.propose(set("key", "value"));
    leader.disk.log.hang();
    const first = leader.replica.propose(set("key", "first"));
    await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(leader.replica.propose(set("key", "second")), isOverloaded);
    leader.disk.log.heal();
    assert.equal((await first).kind, "set");
    assert.equal((await leader.replica.propose(set("key", "third"))).kind, "set");
  });

  it("holds only so much of what its followers hand to it", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3, { electionTimeoutMs: 500 });
    const { leader, follower } = await leaderAndFollower();
    leader.disk.log.hang();
    const own = leader.replica.propose(set("own", "value"));
    await new Promise((resolve) => setImmediate(resolve));
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, number) =>
        follower.replica.propose(set(`key-${String(number)}`, "v".repeat(100_000))).then(
          () => "set",
          (error: unknown) => (isOverloaded(error) ? "overloaded" : String(error)),
        ),
      ),
    );
    // Its limit is 2^20 bytes; what it held, the next leader takes.
    assert.equal(outcomes.filter((outcome) => outcome === "set").length, 10);
    assert.equal(outcomes.filter((outcome) => outcome === "overloaded").length, 30, outcomes.join(", "));
    leader.disk.log.heal();
    await own;
  });
});

describe("a follower whose disk hangs", () => {
  it("goes on where it was when the disk is back", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    follower.disk.log.hang();
    await leader.replica.propose(set("key", "value"));
    await until("it complains", () => follower.warnings.length > 0);
    follower.disk.log.heal();
    assert.equal((await follower.replica.propose(set("key", "more"))).kind, "set");
    assert.deepEqual(follower.warnings, [stalled]);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "../../src/platform/errors.ts";
import { cluster, read, remove, set, until } from "./cluster.ts";

for (const size of [1, 3]) {
  describe(`a cluster of ${String(size)}`, () => {
    it("answers writes with the revision they made, through each member", async (test) => {
      const { members } = await cluster(test, size);
      let revision = 1;
      for (const member of members) {
        revision += 1;
        assert.deepEqual(await member.replica.propose(set("key", member.replica.status().name)), {
          kind: "set",
          revision,
          previous: undefined,
        });
        for (const reader of members) assert.equal(await read(reader, "key"), member.replica.status().name);
      }
      assert.deepEqual(await members[0]?.replica.propose(remove("key")), {
        kind: "delete",
        revision: revision + 1,
        deleted: 1,
        previous: [],
      });
      assert.deepEqual(await members[0]?.replica.propose(remove("key")), {
        kind: "delete",
        revision: revision + 1,
        deleted: 0,
        previous: [],
      });
    });

    it("takes thousands of writes at once, in batches", async (test) => {
      const { members } = await cluster(test, size);
      const writes = members.flatMap(({ replica }, at) =>
        Array.from({ length: 3000 / size }, (_, write) =>
          replica.propose(set(`key-${String(write * size + at)}`, String(write * size + at))),
        ),
      );
      const revisions = new Set((await Promise.all(writes)).map((result) => result.revision));
      assert.equal(revisions.size, 3000);
      for (const member of members) assert.equal(await read(member, "key-2999"), "2999");
    });
  });
}

describe("a cluster of three that is cut apart", () => {
  it("goes on without its leader, and the old leader answers what it could not before once it is back", async (test) => {
    const { members, network, leader } = await cluster(test, 3);
    const old = await leader();
    await old.replica.propose(set("key", "before"));
    network.cut(old.id);
    const lost = old.replica.propose(set("key", "lost?"));
    const stale = read(old, "key");
    const rest = members.filter((member) => member !== old);
    await Promise.all(rest.map((member, at) => member.replica.propose(set(`key-${String(at)}`, "after"))));
    await rest[0]?.replica.propose(set("key", "after"));
    network.heal(old.id);
    // Its own write was never committed: the entry was overwritten, so it may be, and is, proposed again.
    assert.equal((await lost).kind, "set");
    assert.ok(
      ["after", "lost?"].includes((await stale) ?? ""),
      "a read confirmed after the cut sees what was written meanwhile",
    );
  });

  it("tells those who wait for a write that it cannot be confirmed, and whether it was proposed", async (test) => {
    const { members, network, leader } = await cluster(test, 3);
    const lonely = await leader();
    for (const member of members) if (member !== lonely) network.cut(member.id);
    const proposed = lonely.replica.propose(set("key", "value"), 300);
    await assert.rejects(
      proposed,
      (error) =>
        error instanceof DkvError && error.code === "writeTimeout" && error.retry === "outcomeUnknown",
    );
    const late = lonely.replica.propose(set("key", "value"), 300);
    await assert.rejects(
      late,
      (error) => error instanceof DkvError && error.code === "noLeader" && error.retry === "notApplied",
    );
    await assert.rejects(
      lonely.replica.readBarrier(300),
      (error) => error instanceof DkvError && error.code === "readTimeout",
    );
  });

  it("hands leadership over when its leader stops", async (test) => {
    const { members, leader } = await cluster(test, 3);
    const first = await leader();
    await first.replica.propose(set("key", "value"));
    await first.replica.stop();
    assert.notEqual(first.replica.status().role, "leader");
    const other = members.find((member) => member !== first);
    assert.ok(other !== undefined);
    assert.equal((await other.replica.propose(set("key", "more"))).kind, "set");
  });
});

describe("a member that stops", () => {
  it("waits for the save that runs, and not for an end of what the others write", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    const { state } = follower.disk;
    await leader.replica.propose(set("key", "value"));
    state.hang();
    const before = state.begun;
    let isOver = false;
    const writing = (async () => {
      while (!isOver) await leader.replica.propose(set("key", "value"));
    })();
    await until("it saves", () => state.begun > before);
    const { appliedIndex } = follower.replica.status();
    await until("it has applied more", () => follower.replica.status().appliedIndex > appliedIndex);

    let isStopped = false;
    const stopped = follower.replica.stop().then(() => {
      isStopped = true;
    });
    const index = leader.replica.status().appliedIndex;
    await until("others write on", () => leader.replica.status().appliedIndex > index + 10);
    assert.equal(isStopped, false);
    state.heal();
    await stopped;
    assert.equal(state.begun, before + 1, "what came after the save is in the log");
    isOver = true;
    await writing;
  });

  it("is stopped at once by the first thing that fails, in a tick as in a turn", async (test) => {
    const { members, leader } = await cluster(test, 1);
    await leader();
    const [member] = members;
    assert.ok(member !== undefined);
    const failure = new Error("broken");
    member.node.tick = () => {
      throw failure;
    };
    await until("the failure is known", () => member.failures.length > 0);
    assert.deepEqual(member.failures, [failure]);
  });
});

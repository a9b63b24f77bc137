import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import { DiskReserve } from "../../src/consensus/disk-reserve.ts";
import { DkvError } from "../../src/platform/errors.ts";
import { cluster, read, remove, set } from "./cluster.ts";

/** As much as fits, and as little as the reserve of these members refuses. */
const enoughBytes = 2000;
const lowBytes = 900;

const isDiskFull =
  (words: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DkvError, String(error));
    assert.equal(error.code, "diskFull");
    assert.equal(error.retry, "notApplied");
    assert.match(error.message, words);
    return true;
  };

describe("the reserve of a disk", () => {
  it("is low below its size, and enough again a tenth above it", () => {
    const lines: string[] = [];
    const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const reserve = new DiskReserve({ reserveBytes: 1000, logger });
    const states = [1000, 999, 1000, 1099, 1100, 1000, 999].map((bytes) => {
      reserve.measured(bytes);
      return reserve.state;
    });
    assert.deepEqual(states, ["enough", "low", "low", "low", "enough", "enough", "low"]);
    assert.equal(lines.length, 3, "every change is logged, and nothing else");
    assert.match(lines[0] ?? "", /"freeBytes":999,"reserveBytes":1000.*nearly full/);
    assert.match(lines[1] ?? "", /"freeBytes":1100.*room again/);
  });

  it("of no bytes is never low", () => {
    const reserve = new DiskReserve({ reserveBytes: 0, logger: pino({ level: "silent" }) });
    reserve.measured(0);
    assert.equal(reserve.state, "enough");
  });
});

describe("a member with little room on its disk", () => {
  it("refuses what its callers set and goes on deleting and reading, until there is room", async (test) => {
    const { leader: aLeader } = await cluster(test, 1);
    const leader = await aLeader();
    await leader.replica.propose(set("kept", "value"));
    leader.reserve.measured(lowBytes);
    const refused = leader.replica.propose(set("more", "value"));
    const deleted = leader.replica.propose(remove("kept"));
    await assert.rejects(refused, isDiskFull(/900 bytes are free.*nothing was written.*at 1\.1 KiB/));
    assert.deepEqual(await deleted.then(({ kind }) => kind), "delete");
    assert.equal(await read(leader, "more"), undefined);
    leader.reserve.measured(enoughBytes);
    assert.equal((await leader.replica.propose(set("more", "value"))).kind, "set");
  });

  it("refuses as a leader what others hand to it, and takes their deletes", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    leader.reserve.measured(lowBytes);
    const answers = await Promise.allSettled([
      follower.replica.propose(set("one", "value")),
      follower.replica.propose(remove("first")),
      follower.replica.propose(set("two", "value")),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      ["rejected", "fulfilled", "rejected"],
    );
    for (const answer of answers)
      if (answer.status === "rejected") isDiskFull(/leader's disk is nearly full/)(answer.reason);
    assert.equal(await read(follower, "first"), undefined);
    assert.equal(await read(follower, "one"), undefined);
    leader.reserve.measured(enoughBytes);
    assert.equal((await follower.replica.propose(set("one", "value"))).kind, "set");
  });

  it("refuses as a follower what its own callers set, and takes part in what others do", async (test) => {
    const { leaderAndFollower } = await cluster(test, 3);
    const { leader, follower } = await leaderAndFollower();
    follower.reserve.measured(lowBytes);
    await assert.rejects(follower.replica.propose(set("key", "own")), isDiskFull(/this member's disk/));
    assert.equal((await leader.replica.propose(set("key", "value"))).kind, "set");
    assert.equal(await read(follower, "key"), "value");
  });
});

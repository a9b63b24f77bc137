import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, readContext } from "@dkv/raft";
import { Reads } from "../../src/consensus/reads.ts";
import { DkvError } from "../../src/platform/errors.ts";

const [first, second] = [readContext(1n), readContext(2n)];
const limits = { count: 10, roundTimeoutMs: 50 };
const quorum = (): string => "1 of 3 members answer";

/** Whether the promise has settled by the time all that is ready has run. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe("waiting reads", () => {
  it("are released when their round is confirmed and the index applied", async () => {
    const reads = new Reads(limits);
    const reader = reads.add(0, 100);
    reads.begin(first, 0);
    reads.confirmed({ context: first, index: logIndex(5) }, logIndex(4));
    assert.equal(await isDone(reader), false);
    reads.applied(logIndex(5));
    await reader;
    assert.equal(reads.size, 0);
  });

  it("never join a round that began before they came", async () => {
    const reads = new Reads(limits);
    reads.add(0, 100).catch(() => undefined);
    reads.begin(first, 0);
    const late = reads.add(1, 100);
    assert.equal(reads.wantsRound, false, "one round at a time");
    reads.confirmed({ context: first, index: logIndex(1) }, logIndex(1));
    assert.equal(await isDone(late), false);
    assert.equal(reads.wantsRound, true);
  });

  it("take no notice of a round that is not the present one", async () => {
    const reads = new Reads(limits);
    const reader = reads.add(0, 100);
    reads.begin(second, 0);
    reads.confirmed({ context: first, index: logIndex(1) }, logIndex(1));
    assert.equal(await isDone(reader), false);
  });

  it("wait for another round when theirs was dropped or its answer lost", () => {
    const reads = new Reads(limits);
    reads.add(0, 100).catch(() => undefined);
    reads.begin(first, 0);
    reads.dropped(first);
    assert.equal(reads.wantsRound, true);
    reads.begin(second, 0);
    reads.expire(49, quorum);
    assert.equal(reads.wantsRound, false);
    reads.expire(50, quorum);
    assert.equal(reads.wantsRound, true);
  });

  it("end with a text that says how many members answer when their time is up", async () => {
    const reads = new Reads(limits);
    const inTime = reads.add(0, 200);
    const late = reads.add(0, 100);
    late.catch(() => undefined);
    reads.begin(first, 0);
    reads.expire(100, quorum);
    await assert.rejects(
      late,
      (error) =>
        error instanceof DkvError && error.code === "readTimeout" && error.message.includes("1 of 3"),
    );
    reads.begin(second, 100);
    reads.confirmed({ context: second, index: logIndex(0) }, logIndex(0));
    await inTime;
    assert.equal(reads.size, 0);
  });

  it("are refused beyond the limit", async () => {
    const reads = new Reads({ ...limits, count: 1 });
    reads.add(0, 100).catch(() => undefined);
    await assert.rejects(
      reads.add(0, 100),
      (error) => error instanceof DkvError && error.code === "overloaded",
    );
  });
});

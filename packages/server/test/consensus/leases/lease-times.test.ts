import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { term } from "@dkv/raft";
import type { Lease, LeaseId } from "@dkv/store";
import { LeaseTimes, noteAfterMs } from "../../../src/consensus/leases/lease-times.ts";

const lease = (grantedTtl: number, remainingTtl = 0): Lease => ({
  grantedTtl: BigInt(grantedTtl),
  remainingTtl: BigInt(remainingTtl),
  grantedIndex: 1,
});

/** Of a leader that has read these at time 0. */
function timesOf(...rows: readonly (readonly [LeaseId, Lease])[]): LeaseTimes {
  const times = new LeaseTimes(term(1));
  times.read(rows, 0);
  times.complete();
  return times;
}

describe("the time of leases", () => {
  it("is no shorter than what was changed while they were read", () => {
    const times = new LeaseTimes(term(1));
    times.changed(1n, undefined, 0);
    times.changed(2n, lease(20), 5000);
    times.read(
      [
        [1n, lease(10)],
        [2n, lease(10)],
        [3n, lease(10)],
      ],
      6000,
    );
    assert.deepEqual(times.takeDue(1e6, 9), [], "not all are known");
    times.complete();
    assert.equal(times.timeOf(1n, 6000), undefined);
    assert.equal(times.timeOf(2n, 6000)?.remainingTtl, 19n);
    assert.equal(times.timeOf(3n, 6001)?.remainingTtl, 10n);
  });

  it("is not given again by a grant that was refused", () => {
    const times = timesOf([1n, lease(10)]);
    times.changed(1n, lease(10), 8000);
    assert.deepEqual(times.takeDue(10_000, 9), [1n]);
  });

  it("that is longer than any clock runs is cut", () => {
    const times = timesOf([1n, { ...lease(0), grantedTtl: 2n ** 63n - 1n }]);
    assert.equal(times.timeOf(1n, 0)?.remainingTtl, 9_000_000_000n);
  });

  it("is over for so many at once, in the order of their ids", () => {
    const times = timesOf([3n, lease(10)], [-1n, lease(10)], [2n, lease(9)], [4n, lease(11)]);
    assert.deepEqual(times.takeDue(10_000, 2).length, 2);
    times.notEnded([2n, 3n, -1n]);
    assert.deepEqual(times.takeDue(10_000, 9), [-1n, 2n, 3n]);
    times.renew([2n], 10_000);
    assert.equal(times.timeOf(2n, 10_000), undefined, "it is ending");
    times.notEnded([2n]);
    assert.deepEqual(times.takeDue(10_000, 9), [2n]);
    times.notEnded([2n]);
    times.renew([2n], 10_000);
    assert.deepEqual(times.takeDue(18_999, 9), [4n]);
    assert.deepEqual(times.takeDue(19_000, 9), [2n]);
  });

  it("begins anew for one that was revoked and granted again", () => {
    const times = timesOf([1n, lease(10)]);
    times.changed(1n, undefined, 9000);
    times.changed(1n, lease(10), 9000);
    assert.deepEqual(times.takeDue(18_999, 9), []);
    assert.deepEqual(times.takeDue(19_000, 9), [1n]);
  });

  it("is noted of those only that have run down by much since they were granted or noted", () => {
    const times = timesOf([1n, lease(3600)], [2n, lease(3600, 1000)], [3n, lease(300)], [4n, lease(3600)]);
    const notes = (nowMs: number) => {
      times.beginNotes();
      const found = times.takeNotes(nowMs, 9);
      return found.map(({ id, remainingTtl }) => [id, remainingTtl] as const);
    };
    times.renew([4n], 1000);
    assert.deepEqual(notes(noteAfterMs - 1), []);
    assert.deepEqual(notes(noteAfterMs), [
      [1n, 3300n],
      [2n, 700n],
    ]);
    assert.deepEqual(notes(noteAfterMs), [], "they are about to be noted");
    times.changed(1n, lease(3600, 3300), noteAfterMs);
    times.noted([
      { id: 1n, remainingTtl: 3300n },
      { id: 2n, remainingTtl: 700n },
    ]);
    assert.deepEqual(
      notes(noteAfterMs + 1000),
      [
        [2n, 699n],
        [4n, 3300n],
      ],
      "one note was not written",
    );
  });

  it("is longer than a note says, or will say, for those that are kept alive", () => {
    const times = timesOf([1n, lease(3600)], [2n, lease(3600, 1000)], [3n, lease(3600)]);
    times.beginNotes();
    const notes = times.takeNotes(noteAfterMs, 1);
    assert.deepEqual(times.renew([1n, 2n, 3n, 4n], noteAfterMs), [1n, 2n]);
    times.noted(notes);
    times.changed(2n, lease(3600), noteAfterMs);
    assert.deepEqual(times.renew([1n, 2n, 3n], noteAfterMs), []);
  });
});

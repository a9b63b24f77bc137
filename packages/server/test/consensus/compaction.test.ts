import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex } from "@dkv/raft";
import { compactionPoint } from "../../src/consensus/compaction.ts";

const limits = { snapshotCount: 100, catchupEntries: 50, maxBytes: 1000 };

interface Log {
  readonly first?: number;
  readonly applied: number;
  readonly bytes?: number;
  readonly keepAfter?: number;
}

const point = ({ first = 1, applied, bytes = 0, keepAfter }: Log): number | undefined =>
  compactionPoint(limits, {
    firstIndex: logIndex(first),
    applied: logIndex(applied),
    bytes,
    keepAfter: keepAfter === undefined ? undefined : logIndex(keepAfter),
  });

describe("the log", () => {
  it("is left alone while it holds few entries", () => {
    assert.equal(point({ applied: 149 }), undefined);
  });

  it("keeps a tail for followers that are a little behind", () => {
    assert.equal(point({ applied: 150 }), 100);
    assert.equal(point({ first: 101, applied: 249 }), undefined);
    assert.equal(point({ first: 101, applied: 250 }), 200);
  });

  it("keeps few entries when they are large", () => {
    assert.equal(point({ applied: 149, bytes: 1001 }), 99);
  });

  it("keeps what a follower with a fresh snapshot goes on from", () => {
    assert.equal(point({ applied: 400, keepAfter: 120 }), 120);
    assert.equal(point({ first: 121, applied: 400, keepAfter: 120 }), undefined);
    assert.equal(point({ applied: 400, bytes: 4000, keepAfter: 120 }), 120);
  });

  it("does not grow without end while a snapshot is on its way", () => {
    assert.equal(point({ applied: 400, bytes: 4001, keepAfter: 120 }), 350);
  });
});

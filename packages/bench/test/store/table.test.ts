import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompactionResult } from "../../src/store/keys/compaction.ts";
import type { Hold } from "../../src/store/keys/range.ts";
import type { StoreResults } from "../../src/store/run.ts";
import { formatStore } from "../../src/store/table.ts";
import type { DeliveryResult } from "../../src/store/watch/delivery.ts";
import type { WatcherCost } from "../../src/store/watch/watchers.ts";

const nothing: StoreResults = {
  delivery: undefined,
  watchers: undefined,
  calls: undefined,
  memory: undefined,
  restart: undefined,
  range: undefined,
  compaction: undefined,
};

const delivered: DeliveryResult = {
  watches: 1000,
  connections: 10,
  perSecond: 200,
  writes: 9000,
  expected: 9_000_000,
  delivered: 9_000_000,
  misplaced: 0,
  problems: [],
  measured: 6_000_000,
  p50Ms: 5,
  p99Ms: 49.9,
  maxMs: 80,
  writeP99Ms: 10,
  memberCores: 1.5,
  leaderCores: 1,
  benchCores: 0.5,
};

function phase(p99Ms: number): CompactionResult["normal"] {
  return {
    calls: 60_000,
    p50Ms: 1.5,
    p99Ms,
    p999Ms: 20,
    maxMs: 30,
    sendLagP99Ms: 1,
    errors: 0,
    errorKinds: {},
  };
}

const hold = (maxMs: number): Hold => ({ loop: { maxMs, p99Ms: 1 }, reads: phase(3) });

/** The line of this figure, in its columns. */
function lineOf(table: string, figure: string): readonly string[] {
  const line = table.split("\n").find((candidate) => candidate.includes(figure));
  return line?.trim().split(/ {2,}/) ?? [];
}

test("events that all came in time are met, and what is owed stands beside them", () => {
  const table = formatStore({ ...nothing, delivery: delivered });
  assert.deepEqual(lineOf(table, "events, "), [
    "watch",
    "events, 1,000 watches, 200 writes/s",
    "all, in order",
    "met",
    "9,000,000 of 9,000,000, 0 misplaced",
  ]);
  assert.deepEqual(lineOf(table, "from write").slice(2), [
    "p99 < 50 ms",
    "met",
    "p50 5.0, p99 49.9, max 80 ms of 6,000,000",
  ]);
});

test("an event that is missing or misplaced, and a watch that ended, are not passed over", () => {
  for (const wrong of [{ delivered: 8_999_999 }, { misplaced: 1 }, { problems: ["gRPC status 14: gone"] }]) {
    const table = formatStore({ ...nothing, delivery: { ...delivered, ...wrong } });
    assert.equal(lineOf(table, "events, ")[3], "MISSED");
    assert.equal(lineOf(table, "from write")[3], "MISSED", "what never came has no latency");
  }
  const table = formatStore({ ...nothing, delivery: { ...delivered, problems: ["gRPC status 14: gone"] } });
  assert.deepEqual(lineOf(table, "PROBLEM"), ["watch", "PROBLEM", "gRPC status 14: gone"]);
});

test("a watcher may cost less than a kibibyte, resident", () => {
  const cost = (residentBytes: number): WatcherCost => ({
    watchers: 1000,
    residentBytes,
    heapBytes: 500_000,
    externalBytes: 0,
  });
  const watchers = { streams: 10, own: cost(1_024_000), shared: cost(1_023_000) };
  const calls = { ...cost(30_000_000), connections: 100 };
  const table = formatStore({ ...nothing, watchers, calls });
  assert.deepEqual(lineOf(table, "keys of their own").slice(2), [
    "< 1 KiB each",
    "MISSED",
    "1,024 bytes resident, 500 of heap, 0 of buffers and C++",
  ]);
  assert.equal(lineOf(table, "one prefix")[3], "met");
  assert.deepEqual(lineOf(table, "1,000 calls on 100 connections").slice(2), [
    "30,000 bytes resident, 500 of heap, 0 of buffers and C++",
  ]);
});

test("keys may take 150 MB more than an empty member, mapped files included", () => {
  const taken = { member: "dkv2", ownBytes: 90e6, collectedBytes: 140e6, heapBytes: 20e6 };
  const sizes = { keys: 1_000_000, keyBytes: 16, valueBytes: 256 };
  const table = formatStore({
    ...nothing,
    memory: {
      ...sizes,
      filled: { ...taken, residentBytes: 151e6 },
      restarted: { ...taken, residentBytes: 150e6 },
    },
  });
  assert.deepEqual(lineOf(table, "1,000,000 keys of 256 bytes").slice(2), [
    "<= 150 MB more",
    "MISSED",
    "151 MB more than empty, 90 MB without mapped files; collected 140 MB, heap 20 MB (dkv2)",
  ]);
  assert.equal(lineOf(table, "started with them")[3], "met");
});

test("the longest hold of the event loop counts, as the member saw it", () => {
  const range = { ranges: 30, keys: 10_000, pages: 60, meanMs: 90, normal: hold(2), ranging: hold(20.1) };
  const table = formatStore({ ...nothing, range });
  assert.deepEqual(lineOf(table, "event loop held").slice(2), [
    "<= 20 ms",
    "MISSED",
    "at most 20.1 ms; small reads p99 3.0, max 30.0 ms; 90 ms and 2.0 pages a range",
  ]);
});

test("writes during a compaction stand beside the normal ones", () => {
  const compaction: CompactionResult = {
    revisions: 1_000_000,
    perSecond: 2000,
    normal: phase(5),
    compacting: phase(9),
    after: phase(5),
    normalLoop: { maxMs: 3, p99Ms: 1 },
    compactingLoop: { maxMs: 9, p99Ms: 1 },
    durationMs: 60_000,
    bytesBefore: 900e6,
    bytesAfter: 400e6,
  };
  const table = formatStore({ ...nothing, compaction });
  assert.deepEqual(lineOf(table, "writes, compacting").slice(2), [
    "p99 < 2x",
    "met",
    "p50 1.50, p99 9.0, max 30 ms of 60000: p99 1.80x",
  ]);
  const slow = formatStore({ ...nothing, compaction: { ...compaction, compacting: phase(10) } });
  assert.equal(lineOf(slow, "writes, compacting")[3], "MISSED");
});

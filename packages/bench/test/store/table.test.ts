import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompactionResult } from "../../src/store/keys/compaction.ts";
import type { Hold } from "../../src/store/keys/range.ts";
import type { LeasesResult } from "../../src/store/lease/leases.ts";
import type { StoreResults } from "../../src/store/run.ts";
import { formatStore } from "../../src/store/table.ts";
import type { DeliveryResult } from "../../src/store/watch/delivery.ts";
import type { WatcherCost } from "../../src/store/watch/watchers.ts";

const nothing: StoreResults = {
  delivery: undefined,
  watchers: undefined,
  calls: undefined,
  leases: undefined,
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

const kept: LeasesResult = {
  leases: 1000,
  ttlSeconds: 60,
  streams: 10,
  target: "all",
  grantingSeconds: 2,
  attachingSeconds: 1,
  grantingLoop: { maxMs: 5, p99Ms: 1 },
  sent: 7000,
  answered: 7000,
  missed: 0,
  measured: 6000,
  p50Ms: 1,
  p99Ms: 9,
  maxMs: 12,
  leasesLeft: 1000,
  keysLeft: 1000,
  breaks: {},
  memory: { member: "dkv1", residentBytes: 3e6, ownBytes: 2e6, collectedBytes: 2e6, heapBytes: 500_000 },
  seconds: 120,
  perSecond: 2000,
  writes: phase(5),
  followed: delivered,
  keepingLoop: { maxMs: 9, p99Ms: 1 },
  maxBytes: 200e6,
  expiry: undefined,
  leaderCores: 1,
  memberCores: 1.5,
  benchCores: 0.5,
};

test("leases that were all kept alive are met, and what they took stands beside them", () => {
  const table = formatStore({ ...nothing, leases: kept });
  assert.deepEqual(lineOf(table, "granted").slice(2), ["1,000 in 2.0 s, 500/s; then a key each, 1,000/s"]);
  assert.deepEqual(lineOf(table, "kept alive on 10 streams, all").slice(2), [
    "none missed",
    "met",
    "7,000 sent, 7,000 answered, 0 missed",
  ]);
  assert.deepEqual(lineOf(table, "until a keep-alive").slice(2), ["p50 1.0, p99 9.0, max 12 ms of 6,000"]);
  assert.deepEqual(lineOf(table, "there after 120 s").slice(2), [
    "all",
    "met",
    "1,000 leases and 1,000 keys of 1,000",
  ]);
  assert.equal(lineOf(table, "events, 1,000 watches")[3], "met");
  assert.deepEqual(lineOf(table, "memory of the leader").slice(2), [
    "at most 200 MB; at rest 2 MB more than empty, collected, 500 bytes of heap a lease",
  ]);
});

test("leases that are left alone all end", () => {
  const expiry = { ended: 1000, firstSeconds: 41.04, seconds: 61, loop: { maxMs: 7, p99Ms: 1 } };
  const table = formatStore({ ...nothing, leases: { ...kept, expiry } });
  assert.deepEqual(lineOf(table, "ended, left alone").slice(2), [
    "all",
    "met",
    "1,000 of 1,000, the first after 41.0 s, the last after 61.0 s; event loop held at most 7.0 ms",
  ]);
  const some = formatStore({ ...nothing, leases: { ...kept, expiry: { ...expiry, ended: 999 } } });
  assert.equal(lineOf(some, "ended, left alone")[3], "MISSED");
});

test("a keep-alive that was missed, and a lease or a key that is gone, are not passed over", () => {
  const missed = formatStore({ ...nothing, leases: { ...kept, missed: 1 } });
  assert.equal(lineOf(missed, "kept alive on")[3], "MISSED");
  for (const wrong of [{ leasesLeft: 999 }, { keysLeft: 999 }]) {
    const table = formatStore({ ...nothing, leases: { ...kept, ...wrong } });
    assert.equal(lineOf(table, "there after")[3], "MISSED");
  }
  const broken = formatStore({ ...nothing, leases: { ...kept, breaks: { "gRPC status 14: gone": 2 } } });
  assert.equal(lineOf(broken, "streams that ended")[2], "2 x gRPC status 14: gone");
});

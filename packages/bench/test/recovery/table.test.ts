import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailoverResult } from "../../src/recovery/failover.ts";
import type { JoinResult } from "../../src/recovery/join.ts";
import { formatRecovery } from "../../src/recovery/table.ts";

function phase(p99Ms: number, errorKinds: Record<string, number> = {}): JoinResult["normal"] {
  const errors = Object.keys(errorKinds).length;
  return { calls: 60_000, p50Ms: 1.5, p99Ms, p999Ms: 20, maxMs: 30, sendLagP99Ms: 1, errors, errorKinds };
}

const joined: JoinResult = {
  stateBytes: 272e6,
  dataBytes: 310e6,
  normal: phase(5),
  joining: phase(9),
  after: phase(6),
  promotedMs: 12_345,
  leaderMemory: { beforeBytes: 200e6, peakBytes: 240e6, growthBytes: 40e6, ownGrowthBytes: 30e6 },
  addedMemory: { beforeBytes: 90e6, peakBytes: 191e6, growthBytes: 101e6, ownGrowthBytes: undefined },
  followerMemory: undefined,
  leaderStayed: true,
};

function failover(system: string, p99Ms: number): FailoverResult {
  const times = { count: 50, minMs: 900, medianMs: 1300, p99Ms, maxMs: p99Ms };
  return { system, gaps: [], first: times, everyMember: times, errors: 3, errorKinds: { refused: 3 } };
}

const nothing = { join: undefined, restart: undefined, failovers: [], electionTimeoutMs: 1000 };

/** The line that says this, in its columns. */
function lineOf(table: string, what: string): readonly string[] {
  const line = table.split("\n").find((candidate) => candidate.includes(what));
  return line?.trim().split(/ {2,}/) ?? [];
}

test("what was measured stands beside what is owed", () => {
  const table = formatRecovery({ ...nothing, join: joined });
  assert.deepEqual(lineOf(table, "writes, joining"), [
    "join",
    "writes, joining",
    "p50 1.50, p99 9.0, max 30 ms of 60000: p99 1.80x",
    "p99 < 2x",
    "met",
  ]);
  assert.deepEqual(lineOf(table, "memory, leader").slice(2), [
    "200 MB before, 240 MB at most: 40 MB more, 30 MB without mapped files",
    "< 100 MB more",
    "met",
  ]);
  assert.equal(lineOf(table, "memory, new member").at(-1), "MISSED");
  assert.deepEqual(lineOf(table, "promoted").slice(2), ["12.3 s after its start", "promoted", "met"]);
});

test("a member that was not promoted and writes that failed are not passed over", () => {
  const join = { ...joined, promotedMs: undefined, joining: phase(10, { "stream reset, error 7": 4 }) };
  const table = formatRecovery({ ...nothing, join });
  assert.deepEqual(lineOf(table, "promoted").slice(2), ["never", "promoted", "MISSED"]);
  assert.equal(lineOf(table, "writes, joining").at(-1), "MISSED");
  assert.deepEqual(lineOf(table, "ERRORS").slice(2), ["4 x stream reset, error 7"]);
});

test("two election timeouts are owed by dkv, and by nobody else", () => {
  const table = formatRecovery({ ...nothing, failovers: [failover("dkv", 2000), failover("etcd", 2500)] });
  const [ours = "", theirs = ""] = table.split("\n").filter((line) => line.includes("without a write"));
  assert.match(ours, /min 900, median 1300, p99 2000, max 2000 ms of 50 +p99 < 2000 ms +MISSED$/);
  assert.match(theirs, /of 50$/);
});

test("the slowest restart must be under two seconds", () => {
  const quick = { count: 5, minMs: 500, medianMs: 600, p99Ms: 1999, maxMs: 1999, maxCpuMs: 450 };
  const restart = { afterStop: quick, afterKill: { ...quick, maxMs: 2000 } };
  const table = formatRecovery({ ...nothing, restart });
  assert.deepEqual(lineOf(table, "after SIGTERM").slice(2), [
    "min 500, median 600, p99 1999, max 1999 ms of 5, CPU 450 ms",
    "< 2000 ms",
    "met",
  ]);
  assert.equal(lineOf(table, "after kill -9").at(-1), "MISSED");
});

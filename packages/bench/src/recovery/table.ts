import { alignColumns } from "../report/columns.ts";
import type { Distribution } from "./distribution.ts";
import type { FailoverResult } from "./failover.ts";
import type { JoinResult } from "./join.ts";
import type { MemoryGrowth } from "./memory-watch.ts";
import type { PhaseMeasurement } from "./phases.ts";
import type { RestartResult } from "./restart.ts";

const megabyte = 1e6;

/** What dkv owes. */
const p99RatioMax = 2;
const growthMaxBytes = 100 * megabyte;
const restartMaxMs = 2_000;
const failoverMaxTimeouts = 2;

/** Everything that was measured; undefined: not asked for, or failed. */
export interface RecoveryResults {
  readonly join: JoinResult | undefined;
  readonly restart: RestartResult | undefined;
  readonly failovers: readonly FailoverResult[];
  readonly electionTimeoutMs: number;
}

/** One line of the table. */
interface Line {
  readonly measure: string;
  readonly what: string;
  readonly value: string;
  /** Undefined: for information. */
  readonly owed?: { readonly text: string; readonly isMet: boolean };
}

/** All results beside what is owed. */
export function formatRecovery(results: RecoveryResults): string {
  const { join, restart, failovers, electionTimeoutMs } = results;
  const groups = [
    join === undefined ? [] : joinLines(join),
    restart === undefined ? [] : restartLines(restart),
    ...failovers.map((failover) => failoverLines(failover, electionTimeoutMs)),
  ].filter((group) => group.length > 0);
  const lines = groups.flat();
  const [head = "", ...rows] = alignColumns(
    [["measure", "what", "value", "owed", ""], ...lines.map(cells)],
    ["left", "left", "left", "left", "left"],
  );
  const body = rows.map((row, at) =>
    at > 0 && lines[at]?.measure !== lines[at - 1]?.measure ? `\n${row}` : row,
  );
  return [head, ...body].join("\n");
}

function cells({ measure, what, value, owed }: Line): readonly string[] {
  if (owed === undefined) return [measure, what, value, "", ""];
  return [measure, what, value, owed.text, owed.isMet ? "met" : "MISSED"];
}

function joinLines(join: JoinResult): readonly Line[] {
  const measure = "join";
  const ratio = join.joining.p99Ms / join.normal.p99Ms;
  const { promotedMs } = join;
  const errors = [join.normal, join.joining, join.after].flatMap(({ errorKinds }) =>
    Object.entries(errorKinds).map(
      ([kind, times]): Line => ({ measure, what: "ERRORS", value: `${times} x ${kind}` }),
    ),
  );
  return [
    { measure, what: "state", value: `${megabytes(join.stateBytes)}, on disk ${megabytes(join.dataBytes)}` },
    { measure, what: "writes, normal", value: latencies(join.normal) },
    {
      measure,
      what: "writes, joining",
      value: `${latencies(join.joining)}: p99 ${ratio.toFixed(2)}x`,
      owed: { text: `p99 < ${p99RatioMax}x`, isMet: ratio < p99RatioMax },
    },
    { measure, what: "writes, after", value: latencies(join.after) },
    memoryLine("memory, leader", join.leaderMemory, growthMaxBytes),
    memoryLine("memory, new member", join.addedMemory, growthMaxBytes),
    memoryLine("memory, a follower", join.followerMemory, undefined),
    {
      measure,
      what: "promoted",
      value: promotedMs === undefined ? "never" : `${(promotedMs / 1000).toFixed(1)} s after its start`,
      owed: { text: "promoted", isMet: promotedMs !== undefined },
    },
    ...(join.leaderStayed ? [] : [{ measure, what: "NOTE", value: "another member leads now" }]),
    ...errors,
  ];
}

/** `maxBytes` undefined: no growth is owed. */
function memoryLine(what: string, growth: MemoryGrowth | undefined, maxBytes: number | undefined): Line {
  if (growth === undefined) return { measure: "join", what, value: "not known on this machine" };
  const { beforeBytes, peakBytes, growthBytes, ownGrowthBytes } = growth;
  const own = ownGrowthBytes === undefined ? "" : `, ${megabytes(ownGrowthBytes)} without mapped files`;
  const value = `${megabytes(beforeBytes)} before, ${megabytes(peakBytes)} at most: ${megabytes(growthBytes)} more${own}`;
  if (maxBytes === undefined) return { measure: "join", what, value };
  const owed = { text: `< ${megabytes(maxBytes)} more`, isMet: growthBytes < maxBytes };
  return { measure: "join", what, value, owed };
}

function restartLines({ afterStop, afterKill }: RestartResult): readonly Line[] {
  return [
    { what: "first read after SIGTERM", taken: afterStop },
    { what: "first read after kill -9", taken: afterKill },
  ].map(({ what, taken }) => ({
    measure: "restart",
    what,
    value: durations(taken) + (taken.maxCpuMs === undefined ? "" : `, CPU ${taken.maxCpuMs.toFixed(0)} ms`),
    owed: { text: `< ${restartMaxMs} ms`, isMet: taken.maxMs < restartMaxMs },
  }));
}

function failoverLines(failover: FailoverResult, electionTimeoutMs: number): readonly Line[] {
  const measure = `failover, ${failover.system}`;
  const maxMs = failoverMaxTimeouts * electionTimeoutMs;
  const owed = { text: `p99 < ${maxMs} ms`, isMet: failover.first.p99Ms < maxMs };
  return [
    {
      measure,
      what: "without a write",
      value: durations(failover.first),
      // etcd owes nothing.
      ...(failover.system === "dkv" ? { owed } : {}),
    },
    { measure, what: "until through every member", value: durations(failover.everyMember) },
    { measure, what: "refused writes", value: String(failover.errors) },
  ];
}

function durations({ count, minMs, medianMs, p99Ms, maxMs }: Distribution): string {
  const whole = [minMs, medianMs, p99Ms, maxMs].map((duration) => duration.toFixed(0));
  return `min ${whole[0]}, median ${whole[1]}, p99 ${whole[2]}, max ${whole[3]} ms of ${count}`;
}

function latencies({ p50Ms, p99Ms, maxMs, calls }: PhaseMeasurement): string {
  return `p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(0)} ms of ${calls}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / megabyte).toFixed(0)} MB`;
}

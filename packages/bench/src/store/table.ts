import type { Starts } from "../recovery/restart.ts";
import { alignColumns } from "../report/columns.ts";
import type { PhaseMeasurement } from "../recovery/phases.ts";
import type { CompactionResult } from "./keys/compaction.ts";
import type { Expiry } from "./lease/expiry.ts";
import type { LeasesResult } from "./lease/leases.ts";
import type { MemoryDifference } from "./keys/memory.ts";
import type { Hold, RangeResult } from "./keys/range.ts";
import type { KeysMemory, StoreResults } from "./run.ts";
import type { Cores } from "./cores.ts";
import type { CallsResult } from "./watch/calls.ts";
import type { DeliveryResult } from "./watch/delivery.ts";
import type { Followed } from "./watch/following.ts";
import type { WatcherCost, WatchersResult } from "./watch/watchers.ts";

/** What dkv owes. */
const owes = {
  deliveryP99Ms: 50,
  watcherBytes: 1024,
  keysBytes: 150e6,
  restartMs: 2_000,
  holdMs: 20,
  compactionP99Ratio: 2,
} as const;

/** One line of the table. */
interface Line {
  readonly measure: string;
  readonly figure: string;
  readonly measured: string;
  /** Undefined: for information. */
  readonly owed?: { readonly text: string; readonly isMet: boolean };
}

/** All results beside what is owed. */
export function formatStore(results: StoreResults): string {
  const { delivery, watchers, calls, leases, memory, restart, range, compaction } = results;
  const lines = [
    ...(delivery === undefined ? [] : deliveryLines(delivery)),
    ...(watchers === undefined ? [] : watcherLines(watchers)),
    ...(calls === undefined ? [] : [callsLine(calls)]),
    ...(leases === undefined ? [] : leaseLines(leases)),
    ...(memory === undefined ? [] : memoryLines(memory)),
    ...(restart === undefined
      ? []
      : [
          restartLine("first read after SIGTERM", restart.afterStop),
          restartLine("first read after kill -9", restart.afterKill),
        ]),
    ...(range === undefined ? [] : rangeLines(range)),
    ...(compaction === undefined ? [] : compactionLines(compaction)),
  ];
  const [head = "", ...rows] = alignColumns(
    [["measure", "figure", "owed", "", "measured"], ...lines.map(cells)],
    ["left", "left", "left", "left", "left"],
  );
  const body = rows.map((row, at) =>
    at > 0 && lines[at]?.measure !== lines[at - 1]?.measure ? `\n${row}` : row,
  );
  return [head, ...body].join("\n");
}

function cells({ measure, figure, measured, owed }: Line): readonly string[] {
  if (owed === undefined) return [measure, figure, "", "", measured];
  return [measure, figure, owed.text, owed.isMet ? "met" : "MISSED", measured];
}

function deliveryLines(result: DeliveryResult): readonly Line[] {
  const measure = "watch";
  const { measured, p50Ms, p99Ms, maxMs } = result;
  return [
    eventsLine(measure, result),
    {
      measure,
      figure: "from write to event",
      owed: { text: `p99 < ${owes.deliveryP99Ms} ms`, isMet: isWhole(result) && p99Ms < owes.deliveryP99Ms },
      measured: answers({ measured, p50Ms, p99Ms, maxMs }),
    },
    { measure, figure: "of it until acknowledged", measured: `p99 ${result.writeP99Ms.toFixed(1)} ms` },
    { measure, figure: "cores", measured: cores(result) },
    ...problems(measure, result.problems),
  ];
}

function eventsLine(measure: string, followed: Followed): Line {
  const { watches, perSecond, expected, delivered, misplaced } = followed;
  return {
    measure,
    figure: `events, ${count(watches)} watches, ${count(perSecond)} writes/s`,
    owed: { text: "all, in order", isMet: isWhole(followed) },
    measured: `${count(delivered)} of ${count(expected)}, ${count(misplaced)} misplaced`,
  };
}

function isWhole({ delivered, expected, misplaced, problems }: Followed): boolean {
  return delivered === expected && misplaced === 0 && problems.length === 0;
}

function leaseLines(result: LeasesResult): readonly Line[] {
  const measure = "leases";
  const { leases, sent, answered, missed, leasesLeft, keysLeft, followed, writes, memory } = result;
  const { grantingSeconds, attachingSeconds, grantingLoop, keepingLoop } = result;
  return [
    {
      measure,
      figure: `granted, of ${result.ttlSeconds} s`,
      measured: `${count(leases)} in ${grantingSeconds.toFixed(1)} s, ${count(leases / grantingSeconds)}/s; then a key each, ${count(leases / attachingSeconds)}/s`,
    },
    {
      measure,
      figure: `kept alive on ${count(result.streams)} streams, ${result.target}`,
      owed: { text: "none missed", isMet: missed === 0 },
      measured: `${count(sent)} sent, ${count(answered)} answered, ${count(missed)} missed`,
    },
    { measure, figure: "until a keep-alive was answered", measured: answers(result) },
    {
      measure,
      figure: `there after ${count(result.seconds)} s`,
      owed: { text: "all", isMet: leasesLeft === leases && keysLeft === leases },
      measured: `${count(leasesLeft)} leases and ${count(keysLeft)} keys of ${count(leases)}`,
    },
    eventsLine(measure, followed),
    { measure, figure: "from write to event", measured: answers(followed) },
    { measure, figure: `writes, ${count(result.perSecond)}/s`, measured: latencies(writes) },
    {
      measure,
      figure: "event loop of the leader held",
      measured: `granting at most ${grantingLoop.maxMs.toFixed(1)} ms, keeping ${keepingLoop.maxMs.toFixed(1)} ms`,
    },
    { measure, figure: "memory of the leader", measured: leaderMemory(result.maxBytes, memory, leases) },
    { measure, figure: "cores", measured: cores(result) },
    ...(result.expiry === undefined ? [] : [expiryLine(measure, result.expiry, leases)]),
    ...Object.entries(result.breaks).map(([kind, times]) => ({
      measure,
      figure: "streams that ended, and were begun again",
      measured: `${times} x ${kind}`,
    })),
    ...problems(measure, followed.problems),
    ...errors(measure, [writes]),
  ];
}

function expiryLine(measure: string, { ended, firstSeconds, seconds, loop }: Expiry, leases: number): Line {
  return {
    measure,
    figure: "ended, left alone",
    owed: { text: "all", isMet: ended === leases },
    measured: `${count(ended)} of ${count(leases)}, the first after ${firstSeconds.toFixed(1)} s, the last after ${seconds.toFixed(1)} s; event loop held at most ${loop.maxMs.toFixed(1)} ms`,
  };
}

function leaderMemory(
  maxBytes: number | undefined,
  more: MemoryDifference | undefined,
  leases: number,
): string {
  if (maxBytes === undefined || more === undefined) return "not known on this machine";
  const { collectedBytes, heapBytes } = more;
  return `at most ${megabytes(maxBytes)}; at rest ${megabytes(collectedBytes)} more than empty, collected, ${count(heapBytes / leases)} bytes of heap a lease`;
}

type Answers = Pick<Followed, "measured" | "p50Ms" | "p99Ms" | "maxMs">;

function answers({ measured, p50Ms, p99Ms, maxMs }: Answers): string {
  return `p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(0)} ms of ${count(measured)}`;
}

function cores({ leaderCores, memberCores, benchCores }: Cores): string {
  return `leader ${leaderCores.toFixed(2)}, all members ${memberCores.toFixed(2)}, bench ${benchCores.toFixed(2)}`;
}

function problems(measure: string, found: readonly string[]): readonly Line[] {
  return found.map((problem) => ({ measure, figure: "PROBLEM", measured: problem }));
}

function errors(measure: string, phases: readonly PhaseMeasurement[]): readonly Line[] {
  const found = phases.flatMap(({ errorKinds }) => Object.entries(errorKinds));
  return found.map(([kind, times]) => ({ measure, figure: "ERRORS", measured: `${times} x ${kind}` }));
}

function watcherLines({ streams, own, shared }: WatchersResult): readonly Line[] {
  const measure = "watchers";
  const owed = ({ residentBytes, watchers }: WatcherCost): NonNullable<Line["owed"]> => ({
    text: "< 1 KiB each",
    isMet: residentBytes / watchers < owes.watcherBytes,
  });
  const of = `${count(own.watchers)} on ${count(streams)} streams`;
  return [
    { measure, figure: `${of}, keys of their own`, owed: owed(own), measured: each(own) },
    { measure, figure: `${of}, one prefix`, owed: owed(shared), measured: each(shared) },
  ];
}

function callsLine(calls: CallsResult): Line {
  const figure = `${count(calls.watchers)} calls on ${count(calls.connections)} connections`;
  return { measure: "watchers", figure, measured: each(calls) };
}

function each({ watchers, heapBytes, externalBytes, residentBytes }: WatcherCost): string {
  const [resident, heap, external] = [residentBytes, heapBytes, externalBytes].map((bytes) =>
    count(bytes / watchers),
  );
  return `${resident} bytes resident, ${heap} of heap, ${external} of buffers and C++`;
}

function memoryLines({ keys, valueBytes, filled, restarted }: KeysMemory): readonly Line[] {
  const measure = "keys";
  const of = `${count(keys)} keys of ${valueBytes} bytes`;
  return [
    memoryLine({ measure, figure: `memory, ${of}` }, filled),
    memoryLine({ measure, figure: "memory, started with them" }, restarted),
  ];
}

function memoryLine(line: Pick<Line, "measure" | "figure">, more: MemoryDifference | undefined): Line {
  if (more === undefined) return { ...line, measured: "not known on this machine" };
  const { residentBytes, ownBytes, collectedBytes, heapBytes, member } = more;
  const own = ownBytes === undefined ? "" : `, ${megabytes(ownBytes)} without mapped files`;
  return {
    ...line,
    owed: { text: `<= ${megabytes(owes.keysBytes)} more`, isMet: residentBytes <= owes.keysBytes },
    measured: `${megabytes(residentBytes)} more than empty${own}; collected ${megabytes(collectedBytes)}, heap ${megabytes(heapBytes)} (${member})`,
  };
}

function restartLine(figure: string, taken: Starts): Line {
  const [min, median, max] = [taken.minMs, taken.medianMs, taken.maxMs].map((ms) => ms.toFixed(0));
  return {
    measure: "restart",
    figure,
    owed: { text: `< ${owes.restartMs} ms`, isMet: taken.maxMs < owes.restartMs },
    measured: `min ${min}, median ${median}, max ${max} ms of ${taken.count}`,
  };
}

function rangeLines({ ranges, keys, pages, meanMs, normal, ranging }: RangeResult): readonly Line[] {
  const measure = "range";
  const maxMs = ranging.loop.maxMs;
  return [
    {
      measure,
      figure: `event loop held, ${count(ranges)} x ${count(keys)} keys`,
      owed: { text: `<= ${owes.holdMs} ms`, isMet: maxMs <= owes.holdMs },
      measured: `${held(ranging)}; ${meanMs.toFixed(0)} ms and ${(pages / ranges).toFixed(1)} pages a range`,
    },
    { measure, figure: "the same without ranges", measured: held(normal) },
  ];
}

function held({ loop, reads }: Hold): string {
  const { p99Ms, maxMs } = reads;
  return `at most ${loop.maxMs.toFixed(1)} ms; small reads p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(1)} ms`;
}

function compactionLines(result: CompactionResult): readonly Line[] {
  const measure = "compaction";
  const { normal, compacting, after, normalLoop, compactingLoop } = result;
  const ratio = compacting.p99Ms / normal.p99Ms;
  return [
    { measure, figure: `writes, normal, ${count(result.perSecond)}/s`, measured: latencies(normal) },
    {
      measure,
      figure: "writes, compacting",
      owed: { text: `p99 < ${owes.compactionP99Ratio}x`, isMet: ratio < owes.compactionP99Ratio },
      measured: `${latencies(compacting)}: p99 ${ratio.toFixed(2)}x`,
    },
    { measure, figure: "writes, after", measured: latencies(after) },
    {
      measure,
      figure: `${count(result.revisions)} old revisions removed`,
      measured: `in ${(result.durationMs / 1000).toFixed(1)} s; on disk ${megabytes(result.bytesBefore)} before, ${megabytes(result.bytesAfter)} after`,
    },
    {
      measure,
      figure: "event loop of the leader held",
      measured: `normal at most ${normalLoop.maxMs.toFixed(1)} ms, compacting ${compactingLoop.maxMs.toFixed(1)} ms`,
    },
    ...errors(measure, [normal, compacting, after]),
  ];
}

function latencies({ p50Ms, p99Ms, maxMs, calls }: PhaseMeasurement): string {
  return `p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(0)} ms of ${calls}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function count(number: number): string {
  return Math.round(number).toLocaleString("en");
}

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ListRequestSchema, ListResponseSchema } from "@dkv/protocol/dkv/v1/dkv";
import { dial, type Dialled } from "../../http2/dial.ts";
import { nowMs, sleep } from "../../platform/clock.ts";
import { type PhaseMeasurement, Phases } from "../../recovery/phases.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import { OpenLoop } from "../../workload/open-loop.ts";
import type { Random } from "../../workload/random.ts";
import { longCall } from "../long-call.ts";
import { askLoop, type LoopDelay } from "../probe/probe.ts";
import type { StoreDeps } from "../deps.ts";
import type { Filled } from "./fill.ts";

const path = "/dkv.v1.DkvAPI/List";

/** Small reads on another connection, so many a second. */
const probesPerSecond = 1000;

/** Between two ranges. */
const restMs = 50;

/** The member and its reads, for some time. */
export interface Hold {
  /** How late the event loop was, by the member's own clock. */
  readonly loop: LoopDelay;
  /** Of the small reads, from when they were meant to be sent. */
  readonly reads: PhaseMeasurement;
}

export interface RangeResult {
  readonly ranges: number;
  /** Of each range. */
  readonly keys: number;
  /** As dkv.v1 has them: a range is asked for page by page. */
  readonly pages: number;
  readonly meanMs: number;
  /** The same reads without ranges. */
  readonly normal: Hold;
  readonly ranging: Hold;
}

/** Asks the leader for ranges, one after the other, while small reads go to it all the time. */
export async function measureRange(filled: Filled, deps: StoreDeps): Promise<RangeResult> {
  const { options, progress, signal } = deps;
  const leader = await filled.running.findLeader();
  const phases = new Phases();
  const reads = await OpenLoop.start({
    method: filled.system.methods(options.valueBytes)["serializable-get"],
    data: filled.data,
    targets: [leader.target],
    connectionsPerTarget: 1,
    perSecond: probesPerSecond,
    onOutcome: (outcome) => {
      phases.record(outcome);
    },
    signal,
  });
  try {
    await progress.during("range: warming up", warmUp(filled, leader, deps));
    phases.begin("normal", nowMs());
    await askLoop(leader);
    await progress.during("range: small reads alone", sleep(options.seconds * 1000, signal));
    const normal = await askLoop(leader);
    phases.begin("ranging", nowMs());
    const what = `range: ${options.ranges} of ${options.rangeKeys} keys`;
    const asking = askRanges(filled, { leader, ranges: options.ranges }, deps);
    const { pages, meanMs } = await progress.during(what, asking);
    const ranging = await askLoop(leader);
    phases.begin("over", nowMs());
    await reads.stop();
    return {
      ranges: options.ranges,
      keys: Math.min(options.rangeKeys, options.keys),
      pages,
      meanMs,
      normal: { loop: normal, reads: phases.measurement("normal") },
      ranging: { loop: ranging, reads: phases.measurement("ranging") },
    };
  } finally {
    await reads.stop();
  }
}

interface Asking {
  readonly leader: LocalMember;
  readonly ranges: number;
}

async function warmUp(filled: Filled, leader: LocalMember, deps: StoreDeps): Promise<void> {
  const untilMs = nowMs() + deps.options.warmupSeconds * 1000;
  do await askRanges(filled, { leader, ranges: 1 }, deps);
  while (nowMs() < untilMs);
}

async function askRanges(
  { data }: Filled,
  { leader, ranges }: Asking,
  { options, signal }: StoreDeps,
): Promise<Pick<RangeResult, "pages" | "meanMs">> {
  const dialled = await dial(leader.target, signal);
  const keys = Math.min(options.rangeKeys, options.keys);
  let pages = 0;
  let totalMs = 0;
  try {
    for (let at = 0; at < ranges; at += 1) {
      const startedMs = nowMs();
      pages += await askRange(dialled, leader, { keys, from: startOf(data.random, keys / options.keys) });
      totalMs += nowMs() - startedMs;
      await sleep(restMs, signal);
    }
  } finally {
    dialled.close();
  }
  return { pages, meanMs: totalMs / ranges };
}

/** Keys are random hex: a range of this part of all, and somewhat more, fits behind this one. */
function startOf(random: Random, part: number): string {
  const room = Math.max(0, Math.floor((1 - 1.2 * part) * 0xff_ff));
  return room === 0 ? "" : random.below(room).toString(16).padStart(4, "0");
}

/** Resolves to the number of pages that it took. Rejects if there were fewer keys. */
async function askRange(
  { connection }: Dialled,
  { target }: LocalMember,
  range: { readonly keys: number; readonly from: string },
): Promise<number> {
  const bounds = { case: "bounds", value: { from: range.from } } as const;
  let found = 0;
  let pageToken = "";
  let pages = 0;
  do {
    // A page token goes with the same limit: the last page may bring more than is needed.
    const request = { keys: { keys: bounds }, limit: range.keys, pageToken };
    const message = toBinary(ListRequestSchema, create(ListRequestSchema, request));
    const page = fromBinary(ListResponseSchema, await longCall(connection, target, { path, message }));
    pages += 1;
    found += page.found.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && found < range.keys);
  if (found < range.keys) throw new Error(`a range of ${range.keys} keys had ${found}`);
  return pages;
}

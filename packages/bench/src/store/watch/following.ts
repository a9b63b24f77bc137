import { dial } from "../../http2/dial.ts";
import { nowMs, sleep } from "../../platform/clock.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { System } from "../../systems/system.ts";
import { Histogram } from "../../workload/histogram.ts";
import type { StoreDeps } from "../deps.ts";
import { openWatches, watchedPrefix, type Watching } from "./open-watches.ts";
import { StampedWriter } from "./stamped-writer.ts";

/** After the last write every watch is to have been told of it within so long. */
const lastEventMs = 10_000;
const lookMs = 20;

/** What many watches of one prefix were told under a load of writes. */
export interface Followed {
  readonly watches: number;
  readonly connections: number;
  readonly perSecond: number;
  /** Writes that were acknowledged, warm-up included. */
  readonly writes: number;
  /** What all watches together should have been told, and were. */
  readonly expected: number;
  readonly delivered: number;
  /** Events that came twice, or before an earlier one. */
  readonly misplaced: number;
  /** Why watches ended that should not have, and why writes failed. */
  readonly problems: readonly string[];
  /** From when a write was meant to be sent until a watch was told, after the warm-up: of so many events. */
  readonly measured: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Until the write was acknowledged, which is part of that. */
  readonly writeP99Ms: number;
}

/** Watches that are open, and writes that go on. */
export interface Following {
  /** Writes that were meant to be sent at this moment or later are measured. */
  measureFrom(fromMs: number): void;
  /** Writes no more, and waits for what the watches are still to be told. */
  finish(): Promise<Followed>;
  close(): void;
}

/** Opens the watches at the leader. The writes begin at once. */
export async function startFollowing(
  { system, leader }: { readonly system: System; readonly leader: LocalMember },
  { options, progress, signal }: StoreDeps,
): Promise<Following> {
  const { target } = leader;
  const { watches, watchRate: perSecond, valueBytes } = options;
  const latencies = new Histogram();
  let writeLatencies = new Histogram();
  let fromMs = Number.POSITIVE_INFINITY;
  const onEvent = (writtenMs: number, toldMs: number): void => {
    if (writtenMs >= fromMs) latencies.record(toldMs - writtenMs);
  };
  const connections = Math.min(watches, options.watchConnections);
  const opening = openWatches({ leader, count: watches, connections, onEvent, signal });
  const watching = await progress.during(`watch: opening ${watches} watches`, opening);
  const own = await dial(target, signal).catch((error: unknown) => {
    watching.close();
    throw error;
  });
  const { connection } = own;
  const { set } = system.methods(valueBytes);
  const prefix = watchedPrefix;
  const writer = new StampedWriter({ connection, target, set, prefix, valueBytes, perSecond, signal });
  return {
    measureFrom: (atMs) => {
      fromMs = atMs;
      writeLatencies = writer.latenciesFrom(atMs);
    },
    finish: async () => {
      await writer.stop();
      return {
        connections,
        perSecond,
        ...(await told(watching, writer, signal)),
        measured: latencies.count,
        p50Ms: latencies.percentileMs(0.5),
        p99Ms: latencies.percentileMs(0.99),
        maxMs: latencies.maxMs,
        writeP99Ms: writeLatencies.percentileMs(0.99),
      };
    },
    close: () => {
      // If it was not finished, nothing is to be sent behind the end.
      void writer.stop();
      own.close();
      watching.close();
    },
  };
}

type Told = Pick<Followed, "watches" | "writes" | "expected" | "delivered" | "misplaced" | "problems">;

/** Resolves when everything has come, or nothing more is waited for. */
async function told({ calls }: Watching, writer: StampedWriter, signal: AbortSignal): Promise<Told> {
  const expected = writer.acknowledged * calls.length;
  const delivered = (): number => calls.reduce((sum, { events }) => sum + events, 0);
  const latestMs = nowMs() + lastEventMs;
  while (delivered() < expected && nowMs() < latestMs) await sleep(lookMs, signal);
  const endings = calls.flatMap(({ ending }) => (ending === undefined ? [] : [ending]));
  return {
    watches: calls.length,
    writes: writer.acknowledged,
    expected,
    delivered: delivered(),
    misplaced: calls.reduce((sum, call) => sum + call.misplaced, 0),
    problems: [...new Set([...endings, ...Object.keys(writer.errors.byKind)])],
  };
}

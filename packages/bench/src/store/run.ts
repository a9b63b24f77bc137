import { Data } from "../workload/work.ts";
import { measureRestart, type RestartResult } from "../recovery/restart.ts";
import { type StoreDeps, withCluster } from "./deps.ts";
import { type CompactionResult, measureCompaction } from "./keys/compaction.ts";
import { type Filled, setKeys } from "./keys/fill.ts";
import { largestDifference, type MemoryDifference, restingMemory } from "./keys/memory.ts";
import { measureRange, type RangeResult } from "./keys/range.ts";
import { type LeasesResult, measureLeases } from "./lease/leases.ts";
import type { MeasureName } from "./options.ts";
import { type CallsResult, measureCalls } from "./watch/calls.ts";
import { type DeliveryResult, measureDelivery } from "./watch/delivery.ts";
import { measureWatchers, type WatchersResult } from "./watch/watchers.ts";

/** Everything that was measured; undefined: not asked for, or failed. */
export interface StoreResults {
  readonly delivery: DeliveryResult | undefined;
  readonly watchers: WatchersResult | undefined;
  readonly calls: CallsResult | undefined;
  readonly leases: LeasesResult | undefined;
  readonly memory: KeysMemory | undefined;
  readonly restart: RestartResult | undefined;
  readonly range: RangeResult | undefined;
  readonly compaction: CompactionResult | undefined;
}

export interface KeysMemory {
  readonly keys: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** After the keys were set, of the member that took the most. */
  readonly filled: MemoryDifference | undefined;
  /** Of a member that was started with them. */
  readonly restarted: MemoryDifference | undefined;
}

/** What was measured, and in one line each what could not be. */
export interface StoreRun extends StoreResults {
  readonly failures: readonly string[];
}

type Attempt = <Result>(name: MeasureName, task: () => Promise<Result>) => Promise<Result | undefined>;

/** Measures what is asked for. A measure that fails does not keep the others from being taken. */
export async function runStore(deps: StoreDeps): Promise<StoreRun> {
  const { options, progress, signal } = deps;
  const failures: string[] = [];
  const attempt: Attempt = async (name, task) => {
    if (!options.only.includes(name)) return undefined;
    try {
      return await task();
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = `${name} failed: ${error instanceof Error ? error.message : String(error)}`;
      progress.line(failure);
      failures.push(failure);
      return undefined;
    }
  };
  const watchers = await attempt("watchers", () => measureWatchers(deps));
  const watching = await measureWatching(deps, attempt);
  const leases = await attempt("leases", () =>
    withCluster(deps, (system, running) => measureLeases(system, running, deps)),
  );
  return { watchers, ...watching, leases, ...(await measureFilled(deps, attempt)), failures };
}

/** Memory first: what many events leave behind is no watch's. */
function measureWatching(
  deps: StoreDeps,
  attempt: Attempt,
): Promise<Pick<StoreResults, "calls" | "delivery">> {
  const { only, watchCalls } = deps.options;
  const needsCalls = only.includes("watchers") && watchCalls > 0;
  if (!needsCalls && !only.includes("watch"))
    return Promise.resolve({ calls: undefined, delivery: undefined });
  return withCluster(deps, async (system, running) => {
    const calls = needsCalls ? await attempt("watchers", () => measureCalls(running, deps)) : undefined;
    const delivery = await attempt("watch", () => measureDelivery(system, running, deps));
    return { calls, delivery };
  });
}

type FilledResults = Pick<StoreResults, "memory" | "restart" | "range" | "compaction">;

/** The measures that need all the keys share one cluster. */
function measureFilled(deps: StoreDeps, attempt: Attempt): Promise<FilledResults> {
  const { options } = deps;
  const nothing = { memory: undefined, restart: undefined, range: undefined, compaction: undefined };
  const needsKeys = options.only.some((name) => ["keys", "range", "compaction"].includes(name));
  if (!needsKeys) return Promise.resolve(nothing);
  return withCluster(deps, async (system, running) => {
    const filled = { system, running, data: new Data(options) };
    const keys = await attempt("keys", () => measureKeys(filled, deps));
    if (keys === undefined) await setKeys(filled, options.keys, deps);
    const range = await attempt("range", () => measureRange(filled, deps));
    const compaction = await attempt("compaction", async () => {
      await setKeys(filled, options.revisions, deps);
      return await measureCompaction(filled, deps);
    });
    return { ...nothing, ...keys, range, compaction };
  });
}

async function measureKeys(
  filled: Filled,
  deps: StoreDeps,
): Promise<Pick<StoreResults, "memory" | "restart">> {
  const { options } = deps;
  const { members } = filled.running;
  const empty = await restingMemory(members, deps);
  await setKeys(filled, options.keys, deps);
  const full = await restingMemory(members, deps);
  const restart = await measureRestart(filled, deps);
  const leader = await filled.running.findLeader();
  const restarted = members.filter((member) => member !== leader).slice(0, 1);
  const { data } = filled;
  return {
    restart,
    memory: {
      keys: options.keys,
      keyBytes: data.keys[0]?.length ?? 0,
      valueBytes: options.valueBytes,
      filled: largestDifference(empty, full),
      restarted: largestDifference(empty, await restingMemory(restarted, deps)),
    },
  };
}

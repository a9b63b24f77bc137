import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StoreDeps } from "../deps.ts";
import { numberIn } from "../probe/probe.ts";

const program = fileURLToPath(new URL("host.js", import.meta.url));
/** What a number of watchers cost, of a process that was measured before and after, at rest. */
export interface WatcherCost {
  readonly watchers: number;
  readonly heapBytes: number;
  /** Of C++. */
  readonly externalBytes: number;
  readonly residentBytes: number;
}

export interface WatchersResult {
  readonly streams: number;
  /** Each watches a key of its own. */
  readonly own: WatcherCost;
  /** All watch one prefix. */
  readonly shared: WatcherCost;
}

export async function measureWatchers(deps: StoreDeps): Promise<WatchersResult> {
  const { options, progress } = deps;
  const { watchers, streams } = options;
  const own = await progress.during(`watchers: ${watchers}, each of its own key`, inHost(deps, "own"));
  const shared = await progress.during(`watchers: ${watchers} of one prefix`, inHost(deps, "shared"));
  return { streams, own: { watchers, ...own }, shared: { watchers, ...shared } };
}

type Cost = Omit<WatcherCost, "watchers">;

async function inHost({ options, signal }: StoreDeps, kind: "own" | "shared"): Promise<Cost> {
  const sizes = [String(options.streams), String(options.watchers)];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--expose-gc", "--max-semi-space-size=16", program, ...sizes, kind],
    { signal },
  );
  const answer: unknown = JSON.parse(stdout);
  return {
    heapBytes: numberIn(answer, "heapBytes"),
    externalBytes: numberIn(answer, "externalBytes"),
    residentBytes: numberIn(answer, "residentBytes"),
  };
}

import type { Progress } from "../report/progress.ts";
import { dkv } from "../systems/dkv.ts";
import type { RunningSystem, System } from "../systems/system.ts";
import type { StoreOptions } from "./options.ts";
import { probed } from "./probe/probe.ts";

export interface StoreDeps {
  readonly options: StoreOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Runs a task with a cluster of its own, whose members can be asked for their memory. */
export async function withCluster<Result>(
  { options, progress, signal }: StoreDeps,
  task: (system: System, running: RunningSystem) => Promise<Result>,
): Promise<Result> {
  const system = dkv(options.profileDir, [], probed);
  const surroundings = { dataRoot: options.dataDir, security: options.security, signal };
  const running = await progress.during("starting dkv", system.start(surroundings));
  try {
    return await task(system, running);
  } finally {
    await running.stop();
  }
}

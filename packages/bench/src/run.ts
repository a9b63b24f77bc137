import { type Options, rowsOf } from "./options.ts";
import type { Progress } from "./report/progress.ts";
import { formatRow, rowName } from "./report/table.ts";
import type { RunningSystem, System } from "./systems/system.ts";
import { usualConnections } from "./workload/load.ts";
import { preload } from "./workload/preload.ts";
import { measureRow, type Row } from "./workload/row.ts";
import { Data } from "./workload/work.ts";

export interface RunDeps {
  readonly options: Options;
  readonly systems: readonly System[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Contestant {
  readonly system: System;
  readonly running: RunningSystem;
}

/** Starts the systems, measures every row on each of them in turn, and stops them whatever happens. */
export async function run(deps: RunDeps): Promise<readonly Row[]> {
  const { options, systems, progress, signal } = deps;
  const data = new Data(options);
  const contestants: Contestant[] = [];
  const surroundings = { dataRoot: options.dataDir, security: options.security, signal };
  try {
    for (const system of systems) {
      const running = await progress.during(`starting ${system.name}`, system.start(surroundings));
      contestants.push({ system, running });
      const { set } = system.methods(options.valueBytes);
      const { target } = await running.findLeader();
      const filling = preload(target, { set, data, signal });
      await progress.during(`setting ${options.keys} keys in ${system.name}`, filling);
    }
    return await measureAll(contestants, data, deps);
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()));
  }
}

async function measureAll(
  contestants: readonly Contestant[],
  data: Data,
  deps: RunDeps,
): Promise<readonly Row[]> {
  const { options, progress, signal } = deps;
  const rows: Row[] = [];
  const wanted = rowsOf(options);
  const total = wanted.length * contestants.length;
  for (const { work, clients } of wanted) {
    for (const contestant of contestants) {
      const others = contestants.filter((other) => other !== contestant);
      const method = contestant.system.methods(options.valueBytes)[work];
      const measuring = measureRow({
        ...contestant,
        idle: others.flatMap(({ running }) => running.members),
        work,
        clients,
        connections: Math.min(clients, options.connections ?? usualConnections(clients, method)),
        target: options.target,
        data,
        warmupSeconds: options.warmupSeconds,
        seconds: options.seconds,
        signal,
      });
      const name = rowName({ system: contestant.system.name, work, clients });
      const row = await progress.during(`[${rows.length + 1}/${total}] ${name}`, measuring);
      rows.push(row);
      progress.line(`[${rows.length}/${total}] ${formatRow(row)}`);
    }
  }
  return rows;
}

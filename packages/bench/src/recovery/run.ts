import { nowMs } from "../platform/clock.ts";
import { dkv } from "../systems/dkv.ts";
import { etcd } from "../systems/etcd.ts";
import type { System } from "../systems/system.ts";
import { preload } from "../workload/preload.ts";
import { Data } from "../workload/work.ts";
import { type FailoverResult, measureFailover } from "./failover.ts";
import { type Filled, type JoinResult, type MeasureDeps, measureJoin } from "./join.ts";
import type { RecoveryOptions } from "./options.ts";
import { measureRestart, type RestartResult } from "./restart.ts";
import type { RecoveryResults } from "./table.ts";

const fillConnections = 8;

/** What was measured, and in one line each what could not be. */
export interface RecoveryRun extends RecoveryResults {
  readonly fillSeconds: number | undefined;
  readonly failures: readonly string[];
}

/** Measures what is asked for. A measure that fails does not keep the others from being taken. */
export async function runRecovery(deps: MeasureDeps & { readonly etcdFound: boolean }): Promise<RecoveryRun> {
  const { options, progress, signal } = deps;
  const failures: string[] = [];
  const attempt = async <Result>(what: string, task: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await task();
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
      progress.line(failure);
      failures.push(failure);
      return undefined;
    }
  };

  const big = await attempt("join and restart", () => measureFilled(deps, attempt));
  const failovers: FailoverResult[] = [];
  for (const system of options.only.includes("failover") ? failoverSystems(deps) : []) {
    const result = await attempt(`failover, ${system.name}`, () => measureFailover(system, deps));
    if (result !== undefined) failovers.push(result);
  }
  const { electionTimeoutMs } = options;
  return {
    join: big?.join,
    restart: big?.restart,
    fillSeconds: big?.fillSeconds,
    failovers,
    electionTimeoutMs,
    failures,
  };
}

type Attempt = <Result>(what: string, task: () => Promise<Result>) => Promise<Result | undefined>;

interface FilledResults {
  readonly join: JoinResult | undefined;
  readonly restart: RestartResult | undefined;
  readonly fillSeconds: number;
}

/** The measures that need all the keys share one cluster. */
async function measureFilled(deps: MeasureDeps, attempt: Attempt): Promise<FilledResults | undefined> {
  const { options, progress, signal } = deps;
  if (!options.only.some((name) => name === "join" || name === "restart")) return undefined;
  const system = dkv(options.profileDir, dkvFlags(options));
  const surroundings = { dataRoot: options.dataDir, security: options.security, signal };
  const running = await progress.during("starting dkv", system.start(surroundings));
  try {
    const data = new Data(options);
    const filled: Filled = { system, running, data };
    const fillSeconds = await fill(filled, deps);
    const join = options.only.includes("join")
      ? await attempt("join", () => measureJoin(filled, deps))
      : undefined;
    const restart = options.only.includes("restart")
      ? await attempt("restart", () => measureRestart(filled, deps))
      : undefined;
    return { join, restart, fillSeconds };
  } finally {
    await running.stop();
  }
}

async function fill({ system, running, data }: Filled, deps: MeasureDeps): Promise<number> {
  const { options, progress, signal } = deps;
  const { target } = await running.findLeader();
  const startedMs = nowMs();
  let set = 0;
  const filling = preload(target, {
    set: system.methods(options.valueBytes).set,
    data,
    connections: fillConnections,
    onSet: () => {
      set += 1;
    },
    signal,
  });
  const total = options.keys.toLocaleString("en");
  await progress.during(() => `setting ${total} keys, ${set.toLocaleString("en")} done`, filling);
  const seconds = (nowMs() - startedMs) / 1000;
  progress.line(`${total} keys set in ${seconds.toFixed(1)} s, ${(options.keys / seconds).toFixed(0)}/s`);
  return seconds;
}

function failoverSystems({
  options,
  etcdFound,
}: {
  readonly options: RecoveryOptions;
  readonly etcdFound: boolean;
}): readonly System[] {
  // A process that is killed leaves no profile.
  const dkvMembers = dkv(undefined, dkvFlags(options));
  return etcdFound && !options.dkvOnly ? [dkvMembers, etcd(etcdFlags(options))] : [dkvMembers];
}

function dkvFlags({ electionTimeoutMs }: RecoveryOptions): readonly string[] {
  return [
    `--election-timeout=${electionTimeoutMs}ms`,
    `--heartbeat-interval=${heartbeatMs(electionTimeoutMs)}ms`,
  ];
}

function etcdFlags({ electionTimeoutMs }: RecoveryOptions): readonly string[] {
  return [
    `--election-timeout=${electionTimeoutMs}`,
    `--heartbeat-interval=${heartbeatMs(electionTimeoutMs)}`,
  ];
}

function heartbeatMs(electionTimeoutMs: number): number {
  return Math.ceil(electionTimeoutMs / 10);
}

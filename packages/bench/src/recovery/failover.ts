import { nowMs, sleep } from "../platform/clock.ts";
import type { LocalMember } from "../systems/local-member.ts";
import type { RunningSystem, System } from "../systems/system.ts";
import { ErrorKinds } from "../workload/error-kinds.ts";
import { OpenLoop } from "../workload/open-loop.ts";
import { preload } from "../workload/preload.ts";
import { Random } from "../workload/random.ts";
import { Data } from "../workload/work.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import type { MeasureDeps } from "./join.ts";
import { waitCaughtUp } from "./reading.ts";
import { GapWatch, type WriteGap } from "./write-gap.ts";

const keys = 1_000;

/** The load runs for so long before a kill, and a random part of as much again: kills fall between heartbeats. */
const settleMs = 500;

/** A cluster that takes no writes for so long is given up. */
const gapMaxMs = 60_000;

/** The leader of one system was killed many times. */
export interface FailoverResult {
  readonly system: string;
  readonly gaps: readonly WriteGap[];
  /** Of the times to the first write. */
  readonly first: Distribution;
  /** Of the times until writes went through every remaining member. */
  readonly everyMember: Distribution;
  /** Writes that were refused or lost, of all kills. */
  readonly errors: number;
  readonly errorKinds: Readonly<Record<string, number>>;
}

/** Kills the leader of a cluster of its own, --kills times. */
export async function measureFailover(system: System, deps: MeasureDeps): Promise<FailoverResult> {
  const { options, progress, signal } = deps;
  const data = new Data({ keys, valueBytes: options.valueBytes, seed: options.seed });
  const surroundings = { dataRoot: options.dataDir, security: options.security, signal };
  const running = await progress.during(`starting ${system.name}`, system.start(surroundings));
  try {
    const { target } = await running.findLeader();
    await preload(target, { set: system.methods(options.valueBytes).set, data, signal });
    const errors = new ErrorKinds();
    const chance = new Random(options.seed);
    const gaps: WriteGap[] = [];
    for (let kill = 1; kill <= options.kills; kill += 1) {
      const what = `failover, ${system.name} [${kill}/${options.kills}]`;
      const settle = settleMs + chance.below(settleMs);
      const gap = await progress.during(
        what,
        failOver({ system, running, data, errors, kill, settle }, deps),
      );
      progress.line(`${what}: ${gap.firstMs.toFixed(0)} ms without a write`);
      gaps.push(gap);
    }
    return {
      system: system.name,
      gaps,
      first: distributionOf(gaps.map(({ firstMs }) => firstMs)),
      everyMember: distributionOf(gaps.map(({ everyMemberMs }) => everyMemberMs)),
      errors: errors.total,
      errorKinds: errors.byKind,
    };
  } finally {
    await running.stop();
  }
}

interface Kill {
  readonly system: System;
  readonly running: RunningSystem;
  readonly data: Data;
  readonly errors: ErrorKinds;
  /** Counted from 1. */
  readonly kill: number;
  /** Milliseconds of load before it. */
  readonly settle: number;
}

async function failOver(round: Kill, deps: MeasureDeps): Promise<WriteGap> {
  const { system, running, data, errors } = round;
  const { options, signal } = deps;
  const leader = await running.findLeader();
  const others = running.members.filter((member) => member !== leader).map(({ target }) => target);
  let watch: GapWatch | undefined;
  const load = await OpenLoop.start({
    method: system.methods(options.valueBytes).set,
    data,
    targets: others,
    connectionsPerTarget: 1,
    perSecond: options.probeRate,
    onOutcome: (outcome) => {
      if (outcome.problem !== undefined) errors.count(outcome.problem);
      watch?.record(outcome);
    },
    signal,
  });
  try {
    await sleep(round.settle, signal);
    watch = new GapWatch(others, nowMs());
    await leader.kill();
    const gap = await orTooLong(watch.closed, deps);
    await bringBack(leader, round, deps);
    return gap;
  } finally {
    await load.stop();
  }
}

async function bringBack(killed: LocalMember, round: Kill, { options, signal }: MeasureDeps): Promise<void> {
  const { valueBytes } = options;
  await killed.start();
  const { target } = await round.running.findLeader();
  const value = Buffer.from(`kill ${round.kill} `.padEnd(valueBytes, "."));
  const expected = { system: round.system, key: "failover-marker", value, valueBytes, signal };
  await waitCaughtUp(killed, target, expected);
}

async function orTooLong(gap: Promise<WriteGap>, { signal }: MeasureDeps): Promise<WriteGap> {
  const inTime = new AbortController();
  const tooLong = sleep(gapMaxMs, AbortSignal.any([signal, inTime.signal])).then(() => {
    throw new Error(`no write through every member for ${gapMaxMs / 1000} s after a kill`);
  });
  try {
    return await Promise.race([gap, tooLong]);
  } finally {
    inTime.abort();
  }
}

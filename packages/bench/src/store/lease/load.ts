import { nowMs, sleep } from "../../platform/clock.ts";
import { type PhaseMeasurement, Phases } from "../../recovery/phases.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { RunningSystem, System } from "../../systems/system.ts";
import { OpenLoop } from "../../workload/open-loop.ts";
import { UsageMeter } from "../../workload/usage-meter.ts";
import { Data } from "../../workload/work.ts";
import { type Cores, coresOf } from "../cores.ts";
import type { StoreDeps } from "../deps.ts";
import { askLoop, type LoopDelay } from "../probe/probe.ts";
import { type Followed, type Following, startFollowing } from "../watch/following.ts";
import type { LeaseLedger } from "./ledger.ts";

const connections = 4;
const keys = 10_000;

/** What else went on while leases were kept alive. */
export interface BesideLeases extends Cores {
  readonly seconds: number;
  readonly perSecond: number;
  readonly writes: PhaseMeasurement;
  readonly followed: Followed;
  readonly keepingLoop: LoopDelay;
  /** Resident, of the leader; undefined where the machine does not tell. */
  readonly maxBytes: number | undefined;
}

interface Measured {
  readonly system: System;
  readonly running: RunningSystem;
  readonly ledger: LeaseLedger;
}

/** Watches and writes, for twice the time of a lease or longer. */
export async function loadBesideLeases(measured: Measured, deps: StoreDeps): Promise<BesideLeases> {
  const { options, signal } = deps;
  const { system, running } = measured;
  const leader = await running.findLeader();
  const following = await startFollowing({ system, leader }, deps);
  const phases = new Phases();
  try {
    const writing = await OpenLoop.start({
      method: system.methods(options.valueBytes).set,
      data: new Data({ ...options, keys }),
      targets: [leader.target],
      connectionsPerTarget: connections,
      perSecond: options.rate,
      onOutcome: (outcome) => {
        phases.record(outcome);
      },
      signal,
    });
    try {
      return await measure(measured, { leader, following, phases, writing }, deps);
    } finally {
      await writing.stop();
    }
  } finally {
    following.close();
  }
}

interface Load {
  readonly leader: LocalMember;
  readonly following: Following;
  readonly phases: Phases;
  readonly writing: OpenLoop;
}

async function measure(
  { running, ledger }: Measured,
  { leader, following, phases, writing }: Load,
  { options, progress, signal }: StoreDeps,
): Promise<BesideLeases> {
  const seconds = Math.max(2 * options.leaseTtlSeconds, options.seconds);
  const what = `leases: kept alive, ${options.rate} writes/s, ${options.watches} watches`;
  const meter = new UsageMeter({ members: running.members, idle: [] });
  try {
    await progress.during(`${what}, warming up`, sleep(options.warmupSeconds * 1000, signal));
    const fromMs = nowMs();
    ledger.measureFrom(fromMs);
    following.measureFrom(fromMs);
    phases.begin("keeping", fromMs);
    await askLoop(leader);
    meter.start();
    const soFar = (): string => `${what}, ${ledger.missed} keep-alives missed`;
    await progress.during(soFar, sleep(seconds * 1000, signal));
    meter.stop();
    const keepingLoop = await askLoop(leader);
    const untilMs = nowMs();
    ledger.measureUntil(untilMs);
    phases.begin("over", untilMs);
    await writing.stop();
    return {
      seconds,
      perSecond: options.rate,
      writes: phases.measurement("keeping"),
      followed: await following.finish(),
      keepingLoop,
      maxBytes: meter.usage.members.find(({ name }) => name === leader.name)?.residentBytes?.max,
      ...coresOf(meter.usage, leader, seconds),
    };
  } finally {
    meter.stop();
  }
}

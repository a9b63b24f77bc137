import { dial } from "../http2/dial.ts";
import { directoryBytes } from "../platform/directory-size.ts";
import { nowMs, sleep } from "../platform/clock.ts";
import type { Progress } from "../report/progress.ts";
import { joinMember, lookUpMember } from "../systems/dkv-membership.ts";
import type { LocalMember } from "../systems/local-member.ts";
import type { System, RunningSystem } from "../systems/system.ts";
import { OpenLoop } from "../workload/open-loop.ts";
import type { Data } from "../workload/work.ts";
import { type MemoryGrowth, memoryGrowth, MemoryWatch } from "./memory-watch.ts";
import type { RecoveryOptions } from "./options.ts";
import { type PhaseMeasurement, Phases } from "./phases.ts";

/** A cluster that holds all its keys. */
export interface Filled {
  readonly system: System;
  readonly running: RunningSystem;
  readonly data: Data;
}

export interface MeasureDeps {
  readonly options: RecoveryOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A member was added under load. */
export interface JoinResult {
  /** Of all keys and values. */
  readonly stateBytes: number;
  /** On the new member's disk once it was promoted, its log included. */
  readonly dataBytes: number;
  readonly normal: PhaseMeasurement;
  /** From asking for the change until the new member was promoted. */
  readonly joining: PhaseMeasurement;
  /** Some seconds with one member more. */
  readonly after: PhaseMeasurement;
  /** From the start of its process; undefined: not within --patience. */
  readonly promotedMs: number | undefined;
  /** Over what it took under the same load before. */
  readonly leaderMemory: MemoryGrowth | undefined;
  /** Over what it took when its client port opened. */
  readonly addedMemory: MemoryGrowth | undefined;
  /** Of a follower that was there before, for comparison. */
  readonly followerMemory: MemoryGrowth | undefined;
  /** Whether the same member led before and after. */
  readonly leaderStayed: boolean;
}

const connectionsPerTarget = 4;
const lookEveryMs = 50;
const afterMs = 5_000;

/** Adds a member while clients write. */
export async function measureJoin(filled: Filled, deps: MeasureDeps): Promise<JoinResult> {
  const { options, progress, signal } = deps;
  const { running, system, data } = filled;
  const leader = await running.findLeader();
  const phases = new Phases();
  const targets = options.target === "all" ? running.members : [leader];
  const load = await OpenLoop.start({
    method: system.methods(options.valueBytes).set,
    data,
    targets: targets.map(({ target }) => target),
    connectionsPerTarget,
    perSecond: options.rate,
    onOutcome: (outcome) => {
      phases.record(outcome);
    },
    signal,
  });
  const follower = running.members.find((member) => member !== leader);
  const watches = { leader: new MemoryWatch(leader.pid), follower: new MemoryWatch(follower?.pid ?? 0) };
  try {
    await progress.during(
      `join: ${options.rate} writes/s, warming up`,
      sleep(options.warmupSeconds * 1000, signal),
    );
    const normalFromMs = nowMs();
    phases.begin("normal", normalFromMs);
    await progress.during(`join: ${options.rate} writes/s, normal`, sleep(options.seconds * 1000, signal));
    const fromMs = nowMs();
    phases.begin("joining", fromMs);
    const addition = await addMember({ ...filled, leader }, deps);
    const untilMs = nowMs();
    phases.begin("after", untilMs);
    await progress.during("join: one member more", sleep(afterMs, signal));
    const leaderStayed = (await running.findLeader()) === leader;
    await load.stop();
    const growthOf = (watch: MemoryWatch): MemoryGrowth | undefined =>
      memoryGrowth(watch.between(normalFromMs, fromMs), watch.between(fromMs, untilMs));
    return {
      stateBytes: data.keys.reduce((sum, key) => sum + key.length + data.valueBytes, 0),
      ...addition,
      normal: phases.measurement("normal"),
      joining: phases.measurement("joining"),
      after: phases.measurement("after"),
      leaderMemory: growthOf(watches.leader),
      followerMemory: growthOf(watches.follower),
      leaderStayed,
    };
  } finally {
    watches.leader.stop();
    watches.follower.stop();
    await load.stop();
  }
}

type Addition = Pick<JoinResult, "promotedMs" | "dataBytes" | "addedMemory">;

async function addMember(
  { running, leader }: Filled & { readonly leader: LocalMember },
  { options, progress, signal }: MeasureDeps,
): Promise<Addition> {
  const added = await running.addMember("dkv4");
  await progress.during("join: asking for the change", joinMember(leader.target, added));
  const startedMs = nowMs();
  await added.start();
  const watch = new MemoryWatch(added.pid);
  try {
    const opened = waitOpen(added, signal);
    const promoted = waitPromoted(added, { leader, patienceMs: options.patienceSeconds * 1000, signal });
    const [openMs, promotedAtMs] = await progress.during(
      `join: ${added.name} catches up`,
      Promise.all([opened, promoted]),
    );
    const untilMs = nowMs();
    const before = watch.between(startedMs, openMs).slice(-1);
    return {
      promotedMs: promotedAtMs === undefined ? undefined : promotedAtMs - startedMs,
      dataBytes: await directoryBytes(added.dataDir),
      addedMemory: memoryGrowth(before, watch.between(openMs, untilMs)),
    };
  } finally {
    watch.stop();
  }
}

/** Resolves to when its client port was open. Rejects if it ends instead. */
async function waitOpen(added: LocalMember, signal: AbortSignal): Promise<number> {
  for (;;) {
    const dialled = await dial(added.target, signal).catch(() => undefined);
    dialled?.close();
    if (dialled !== undefined) return nowMs();
    added.checkAlive();
    await sleep(lookEveryMs, signal);
  }
}

/** Resolves to when the leader first said that it votes; undefined if it did not in time. */
async function waitPromoted(
  added: LocalMember,
  wait: { readonly leader: LocalMember; readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const latestMs = nowMs() + wait.patienceMs;
  while (nowMs() < latestMs) {
    const seen = await lookUpMember(wait.leader.target, added.name).catch(() => undefined);
    if (seen !== undefined && !seen.isLearner) return nowMs();
    added.checkAlive();
    wait.leader.checkAlive();
    await sleep(lookEveryMs, wait.signal);
  }
  return undefined;
}

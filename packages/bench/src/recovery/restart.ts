import { nowMs } from "../platform/clock.ts";
import { usageOf } from "../platform/process-usage.ts";
import type { LocalMember } from "../systems/local-member.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import type { Progress } from "../report/progress.ts";
import type { Filled } from "./join.ts";
import type { RecoveryOptions } from "./options.ts";
import { type Expected, readUntil, waitCaughtUp } from "./reading.ts";

export interface RestartDeps {
  readonly options: Pick<RecoveryOptions, "restarts" | "valueBytes">;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** From the start of a follower's process to its first answer to a serializable read. */
export interface Starts extends Distribution {
  /** The most CPU that it took until then, all threads; undefined where the machine does not tell. */
  readonly maxCpuMs: number | undefined;
}

export interface RestartResult {
  /** It was told to end before. */
  readonly afterStop: Starts;
  /** It was killed with kill -9 before. */
  readonly afterKill: Starts;
}

/** Restarts a follower again and again; there is no load. */
export async function measureRestart(filled: Filled, deps: RestartDeps): Promise<RestartResult> {
  const leader = await filled.running.findLeader();
  const follower = filled.running.members.find((member) => member !== leader);
  if (follower === undefined) throw new Error("there is no follower to restart");
  const restart = { ...filled, leader, follower };
  return {
    afterStop: await repeat(restart, deps, "SIGTERM"),
    afterKill: await repeat(restart, deps, "kill -9"),
  };
}

interface Restart extends Filled {
  readonly leader: LocalMember;
  readonly follower: LocalMember;
}

async function repeat(restart: Restart, deps: RestartDeps, end: "SIGTERM" | "kill -9"): Promise<Starts> {
  const { options, progress } = deps;
  const starts: Start[] = [];
  for (let round = 1; round <= options.restarts; round += 1) {
    const what = `restart after ${end} [${round}/${options.restarts}]`;
    const start = await progress.during(what, restartOnce(restart, deps, { end, round }));
    progress.line(`${what}: first read after ${start.durationMs.toFixed(0)} ms`);
    starts.push(start);
  }
  const cpuMs = starts.map((start) => start.cpuMs).filter((known) => known !== undefined);
  return {
    ...distributionOf(starts.map(({ durationMs }) => durationMs)),
    maxCpuMs: cpuMs.length === 0 ? undefined : Math.max(...cpuMs),
  };
}

interface Start {
  readonly durationMs: number;
  readonly cpuMs: number | undefined;
}

async function restartOnce(
  { system, leader, follower, data }: Restart,
  { options, signal }: RestartDeps,
  { end, round }: { readonly end: "SIGTERM" | "kill -9"; readonly round: number },
): Promise<Start> {
  const { valueBytes } = options;
  const expected: Expected = { system, key: String(data.keys[0]), value: undefined, valueBytes, signal };
  await (end === "SIGTERM" ? follower.stop() : follower.kill());
  const startedMs = nowMs();
  await follower.start();
  await readUntil(follower, expected);
  const durationMs = nowMs() - startedMs;
  const usage = usageOf(follower.pid);
  // The next restart is one of a member that takes part again.
  const marker = Buffer.from(`${end} ${round} `.padEnd(valueBytes, "."));
  await waitCaughtUp(follower, leader.target, { ...expected, key: "restart-marker", value: marker });
  return { durationMs, cpuMs: usage === undefined ? undefined : usage.cpuSeconds * 1000 };
}

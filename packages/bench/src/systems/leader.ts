import type { Target } from "../http2/dial.ts";
import { sleep } from "../platform/clock.ts";
import type { Child } from "../platform/processes.ts";

const pauseMs = 100;
const patienceMs = 30_000;

/** Asks one member; resolves to whether it leads. May reject while the member is not ready. */
export type LeaderQuestion = (target: Target) => Promise<boolean>;

/** Asks all members until one says that it leads. Rejects when a process has ended or none leads. */
export async function waitForLeader(cluster: {
  readonly children: readonly Child[];
  readonly targets: readonly Target[];
  readonly isLeader: LeaderQuestion;
  readonly signal: AbortSignal;
}): Promise<Target> {
  const tooLong = AbortSignal.timeout(patienceMs);
  for (;;) {
    for (const target of cluster.targets) {
      // A member that cannot answer yet is asked again; one that is gone is found below.
      if (await cluster.isLeader(target).catch(() => false)) return target;
    }
    for (const child of cluster.children) {
      const ending = child.ending();
      if (ending !== undefined) throw new Error(`a member ended (${ending}):\n${await child.lastWords()}`);
    }
    if (tooLong.aborted) throw new Error(`no member leads after ${patienceMs / 1000} seconds`);
    await sleep(pauseMs, cluster.signal);
  }
}

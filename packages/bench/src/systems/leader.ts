import type { Target } from "../http2/dial.ts";
import { sleep } from "../platform/clock.ts";
import type { LocalMember } from "./local-member.ts";

const pauseMs = 100;
const patienceMs = 30_000;

/** Asks one member; resolves to whether it leads. May reject while the member is not ready. */
export type LeaderQuestion = (target: Target) => Promise<boolean>;

/**
 * Asks the members that run until one says that it leads. Rejects when a process has ended by itself, or none
 * leads.
 */
export async function waitForLeader(cluster: {
  readonly members: readonly LocalMember[];
  readonly isLeader: LeaderQuestion;
  readonly signal: AbortSignal;
}): Promise<LocalMember> {
  const tooLong = AbortSignal.timeout(patienceMs);
  for (;;) {
    for (const member of cluster.members) {
      // A member that cannot answer yet is asked again; one that is gone is found below.
      if (member.isRunning && (await cluster.isLeader(member.target).catch(() => false))) return member;
    }
    for (const member of cluster.members) member.checkAlive();
    if (tooLong.aborted) throw new Error(`no member leads after ${patienceMs / 1000} seconds`);
    await sleep(pauseMs, cluster.signal);
  }
}

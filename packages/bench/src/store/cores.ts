import type { LocalMember } from "../systems/local-member.ts";
import type { Usage } from "../workload/usage-meter.ts";

/** Cores that were busy while it was measured: of all members, of the leader, of the bench. */
export interface Cores {
  readonly memberCores: number;
  readonly leaderCores: number;
  readonly benchCores: number;
}

export function coresOf({ members, benchCpuSeconds }: Usage, leader: LocalMember, seconds: number): Cores {
  const cores = (of: (name: string) => boolean): number =>
    members.reduce((sum, { name, cpuSeconds = 0 }) => sum + (of(name) ? cpuSeconds : 0), 0) / seconds;
  return {
    memberCores: cores(() => true),
    leaderCores: cores((name) => name === leader.name),
    benchCores: benchCpuSeconds / seconds,
  };
}

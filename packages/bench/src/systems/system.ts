import type { LocalMember } from "./local-member.ts";
import type { Surroundings } from "./members.ts";
import type { Methods } from "../workload/work.ts";

/** A member's process, as far as it is watched. */
export interface MemberProcess {
  readonly name: string;
  readonly pid: number;
}

/** A cluster that runs and can be put under load. */
export interface RunningSystem {
  readonly members: readonly LocalMember[];
  /** Which of the members that run leads, as soon as one does. */
  findLeader(): Promise<LocalMember>;
  /** Makes a further member ready; the caller tells the cluster of it, and starts it. */
  addMember(name: string): Promise<LocalMember>;
  /** Ends the processes and removes their data. */
  stop(): Promise<void>;
}

/** Something that can be measured. */
export interface System {
  readonly name: string;
  methods(valueBytes: number): Methods;
  /** Starts it and resolves when it answers. Nothing is left behind when it rejects. */
  start(surroundings: Surroundings): Promise<RunningSystem>;
}

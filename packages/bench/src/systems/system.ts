import type { Target } from "../http2/dial.ts";
import type { Surroundings } from "./members.ts";
import type { Method, WorkName } from "../workload/work.ts";

/** A member's process, as far as it is watched. */
export interface MemberProcess {
  readonly name: string;
  readonly pid: number;
}

/** A cluster that runs and can be put under load. */
export interface RunningSystem {
  /** Where clients reach the members. */
  readonly targets: readonly Target[];
  readonly members: readonly MemberProcess[];
  /** Which of the targets leads, as soon as one does. */
  findLeader(): Promise<Target>;
  /** Ends the processes and removes their data. */
  stop(): Promise<void>;
}

/** Something that can be measured. */
export interface System {
  readonly name: string;
  methods(valueBytes: number): Readonly<Record<WorkName, Method>>;
  /** Starts it and resolves when it answers. Nothing is left behind when it rejects. */
  start(surroundings: Surroundings): Promise<RunningSystem>;
}

/** What a run knows of each sort of clients that it puts on the cluster. */
import type { AllClients } from "../cluster/stores.ts";
import type { Tally } from "./tally.ts";

export interface WorkloadOptions {
  readonly clients: AllClients;
  readonly seed: number;
  /** When the run began: times in histories count from there, as those of everything else that is told. */
  readonly startedMs: number;
  /** What clients saw is wrong, or could not be judged. Called at most once. */
  readonly onVerdict: (verdict: BadVerdict) => void;
}

export interface BadVerdict {
  readonly kind: "violated" | "undecided" | "unreadable";
  readonly report: string;
}

/** Works and judges from when it is made until it is stopped or abandoned. */
export interface Workload {
  /** What its clients use, for the summary. */
  readonly title: string;
  /** What is so unless a verdict says otherwise. */
  readonly promise: string;
  readonly tally: Tally;
  /** What else happened, in a few words. */
  readonly details: string;
  readonly verdict: BadVerdict | undefined;
  /** Ends the clients, and judges what is left; to be called when all faults are healed. */
  stop(): Promise<void>;
  /** Ends the clients, and judges nothing more: the cluster is beyond asking. */
  abandon(): Promise<void>;
}

/** What a member does besides, above all while it leads: time of leases, removal of history, the quota. */
import type { SoftState, Term } from "@dkv/raft";
import type { Applied, LoggedOperation } from "@dkv/store";
import { DkvError } from "../platform/errors.ts";
import {
  AutoCompaction,
  type AutoCompactionDeps,
  type AutoCompactionOptions,
} from "./history/auto-compaction.ts";
import { HistoryRemoval } from "./history/removal.ts";
import { LeaseClock, type LeaseClockDeps } from "./leases/lease-clock.ts";
import { OwnLog, type OwnLogDeps } from "./own-log.ts";
import { Quota, type QuotaDeps } from "./quota.ts";

export interface DutiesOptions {
  /** Undefined: history is kept until somebody gives it up. */
  readonly autoCompaction: AutoCompactionOptions | undefined;
  /** Of the state on disk; 0 for none. */
  readonly quotaBytes: number;
}

type Given<Deps> = Omit<Deps, "ownLog" | "term" | "failed" | "saveApplied" | "store">;

export interface DutiesDeps
  extends OwnLogDeps,
    Given<LeaseClockDeps>,
    Given<AutoCompactionDeps>,
    Given<QuotaDeps> {
  readonly store: LeaseClockDeps["store"] & AutoCompactionDeps["store"] & QuotaDeps["store"];
  readonly driver: OwnLogDeps["driver"] & {
    until(condition: () => boolean, withinMs: number): Promise<boolean>;
    saveApplied(): Promise<void>;
  };
  /** Ends the process: what else the disk has lost is not known. */
  readonly fatal: (error: unknown) => void;
}

export class Duties {
  readonly leaseClock: LeaseClock;
  readonly quota: Quota;
  readonly #deps: DutiesDeps;
  readonly #ownLog: OwnLog;
  readonly #removal: HistoryRemoval;
  readonly #autoCompaction: AutoCompaction;
  /** In which this member leads. */
  #term: Term | undefined;
  #isStopped = false;
  #leader: SoftState["leader"];
  /** Times at which this member came to know of one. */
  leaderChanges = 0;

  constructor({ autoCompaction, quotaBytes }: DutiesOptions, deps: DutiesDeps) {
    this.#deps = deps;
    this.#ownLog = new OwnLog(deps);
    const shared = {
      ...deps,
      ownLog: this.#ownLog,
      term: () => this.#term,
      failed: deps.fatal,
      saveApplied: () => deps.driver.saveApplied(),
    };
    this.leaseClock = new LeaseClock(shared);
    this.quota = new Quota(quotaBytes, shared);
    this.#removal = new HistoryRemoval(shared);
    this.#autoCompaction = new AutoCompaction(autoCompaction, shared);
  }

  start(): void {
    this.quota.start();
    this.#autoCompaction.start();
  }

  /** Ends everything that this member does of its own accord. */
  stop(): void {
    this.#lead(undefined);
    this.#isStopped = true;
    this.quota.stop();
    this.#autoCompaction.stop();
  }

  leadership({ role, term, leader }: SoftState): void {
    if (leader !== undefined && leader !== this.#leader) this.leaderChanges += 1;
    this.#leader = leader;
    this.#lead(role === "leader" ? term : undefined);
  }

  applied({ id }: Applied, operation: LoggedOperation): void {
    this.leaseClock.applied(operation);
    if (operation.case === "compact") this.#removal.moved();
    this.#ownLog.applied(id);
  }

  /**
   * Resolves when what is given up by now is removed from the disk here. Rejects with a DkvError if that
   * takes longer.
   */
  async historyRemoved(timeoutMs: number): Promise<void> {
    const { store, driver } = this.#deps;
    const { revision } = store.compaction;
    const isRemoved = (): boolean => {
      const { compaction } = store;
      return compaction.isRemoved || (compaction.revision > revision && compaction.next.revision > revision);
    };
    if (await driver.until(isRemoved, timeoutMs)) await driver.saveApplied();
    else
      throw new DkvError(
        "outcomeUnknown",
        "the history is given up, but to remove it takes longer than was waited for; it goes on by itself",
      );
  }

  #lead(term: Term | undefined): void {
    if (this.#isStopped || term === this.#term) return;
    this.#term = term;
    this.#ownLog.lost();
    this.leaseClock.ended();
    this.#removal.ended();
    if (term === undefined) return;
    this.leaseClock.began(term);
    this.#removal.began(term);
  }
}

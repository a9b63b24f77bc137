import type { Target } from "../../http2/dial.ts";
import { every, nowMs, sleep } from "../../platform/clock.ts";
import { ErrorKinds } from "../../workload/error-kinds.ts";
import { Schedule } from "../../workload/schedule.ts";
import { KeptStream } from "./kept-stream.ts";
import type { LeaseLedger } from "./ledger.ts";

const tickMs = 1;
const drainPollMs = 5;

/** A lease is kept alive so often in its time, as by etcd's clients. */
const perTtl = 3;

export interface KeeperPlan {
  /** Streams go to these in turn, each on a connection of its own. */
  readonly targets: readonly Target[];
  readonly streams: number;
  readonly leases: number;
  readonly ttlSeconds: number;
  readonly ledger: LeaseLedger;
  readonly signal: AbortSignal;
}

/** Keeps leases alive, one after the other, evenly over time. */
export class Keeper {
  /** Why streams ended, which were begun again. */
  readonly breaks = new ErrorKinds();
  readonly #plan: KeeperPlan;
  readonly #destroy = new AbortController();
  readonly #streams: KeptStream[] = [];
  #stopTicking: () => void = () => undefined;
  #turn = 0;
  #isLeaving = false;

  private constructor(plan: KeeperPlan) {
    this.#plan = plan;
  }

  static async open(plan: KeeperPlan): Promise<Keeper> {
    const keeper = new Keeper(plan);
    try {
      await keeper.#open();
      return keeper;
    } catch (error) {
      keeper.close();
      throw error;
    }
  }

  /**
   * Begins after a third of a lease's time. Called before the first is granted: then however long it takes to
   * grant them, none is left alone for more than two thirds.
   */
  begin(): void {
    const { leases, ttlSeconds } = this.#plan;
    const periodMs = (ttlSeconds * 1000) / perTtl;
    const schedule = new Schedule({ startMs: nowMs() + periodMs, perSecond: (leases * 1000) / periodMs });
    this.#stopTicking = every(tickMs, () => {
      if (!this.#isLeaving) this.#askDue(schedule);
      for (const stream of this.#streams) stream.flush();
    });
  }

  /** Asks nothing more, and waits for what is to be answered while leases live. */
  async stop(): Promise<void> {
    this.#isLeaving = true;
    const waiting = (): number => this.#streams.reduce((sum, stream) => sum + stream.waiting, 0);
    const { ttlSeconds, ledger, signal } = this.#plan;
    const latestMs = nowMs() + ttlSeconds * 1000;
    while (waiting() > 0 && nowMs() < latestMs) await sleep(drainPollMs, signal);
    this.#stopTicking();
    ledger.unanswered(waiting());
  }

  close(): void {
    this.#stopTicking();
    this.#destroy.abort();
  }

  async #open(): Promise<void> {
    const { targets, streams, ledger } = this.#plan;
    const { signal: destroyed } = this.#destroy;
    const signal = AbortSignal.any([this.#plan.signal, destroyed]);
    const onAnswer = ledger.answered.bind(ledger);
    const onBroken = (reason: string): void => {
      if (!destroyed.aborted) this.breaks.count(reason);
    };
    for (let at = 0; at < streams; at += 1) {
      const target = targets[at % targets.length];
      if (target !== undefined)
        this.#streams.push(await KeptStream.open(target, { onAnswer, onBroken, signal }));
    }
  }

  /** One that is not granted yet is left out until it is its turn again. */
  #askDue(schedule: Schedule): void {
    const { leases, ledger } = this.#plan;
    for (;;) {
      const intendedMs = schedule.takeDue(nowMs());
      if (intendedMs === undefined) break;
      const lease = 1 + (this.#turn % leases);
      this.#turn += 1;
      if (!ledger.isThere(lease)) continue;
      ledger.asked();
      this.#streams[lease % this.#streams.length]?.ask({ lease, intendedMs });
    }
  }
}

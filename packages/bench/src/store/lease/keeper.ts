import { requestHeaders } from "../../grpc/message.ts";
import { type Dialled, dial, type Target } from "../../http2/dial.ts";
import { every, nowMs, sleep } from "../../platform/clock.ts";
import { Schedule } from "../../workload/schedule.ts";
import { KeepAliveCall } from "./keep-alive-call.ts";
import type { LeaseLedger } from "./ledger.ts";
import { leasePaths } from "./messages.ts";

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
  readonly #plan: KeeperPlan;
  readonly #dialled: Dialled[] = [];
  readonly #calls: KeepAliveCall[] = [];
  #stopTicking: () => void = () => undefined;
  #turn = 0;

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
      this.#askDue(schedule);
    });
  }

  /** Why streams ended that should not have. */
  get problems(): readonly string[] {
    return [...new Set(this.#calls.flatMap(({ ending }) => (ending === undefined ? [] : [ending])))];
  }

  /** Asks nothing more, and waits for what is to be answered while leases live. */
  async stop(): Promise<void> {
    this.#stopTicking();
    const waiting = (): number => this.#calls.reduce((sum, call) => sum + call.waiting, 0);
    const { ttlSeconds, ledger, signal } = this.#plan;
    const latestMs = nowMs() + ttlSeconds * 1000;
    while (waiting() > 0 && this.problems.length === 0 && nowMs() < latestMs)
      await sleep(drainPollMs, signal);
    ledger.unanswered(waiting());
  }

  close(): void {
    this.#stopTicking();
    for (const { close } of this.#dialled) close();
  }

  async #open(): Promise<void> {
    const { targets, streams, ledger, signal } = this.#plan;
    for (let at = 0; at < streams; at += 1) {
      const target = targets[at % targets.length];
      if (target === undefined) return;
      const dialled = await dial(target, signal);
      this.#dialled.push(dialled);
      const { connection } = dialled;
      const headers = requestHeaders(target, leasePaths.keepAlive);
      const onAnswer = ledger.answered.bind(ledger);
      this.#calls.push(new KeepAliveCall({ connection, headers, onAnswer }));
      connection.flush();
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
      this.#calls[lease % this.#calls.length]?.ask({ lease, intendedMs });
    }
    for (const { connection } of this.#dialled) connection.flush();
  }
}

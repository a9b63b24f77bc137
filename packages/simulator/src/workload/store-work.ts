/** All that is done with the store besides single keys: each kind in some of the runs only. */
import { create } from "@bufbuild/protobuf";
import { checkTransactions, renderTransactionVerdict } from "@dkv/checker";
import { CompactCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { LeaseTimes, type LeaseTimesDeps } from "../checkers/lease-times.ts";
import { judge } from "../checkers/histories.ts";
import { Locks } from "../checkers/locks.ts";
import { RangeReads } from "../checkers/range-reads.ts";
import { SafetyViolation } from "../checkers/truth.ts";
import { Doors, type DoorsDeps } from "./doors.ts";
import { LeaseHolders } from "./leases.ts";
import { Lists } from "./lists.ts";
import { LockClients } from "./lock-clients.ts";
import { RuleChanges } from "./rule-changes.ts";
import { Registers } from "./registers.ts";
import { Watchers } from "./watchers.ts";

export interface StoreWorkOptions {
  /** Clients of each kind. */
  readonly registers: number;
  readonly lists: number;
  readonly leases: number;
  readonly locks: number;
  readonly watchers: number;
  readonly rules: number;
  /** Between two compactions; undefined for none. */
  readonly compactEveryMs: number | undefined;
}

export interface StoreWorkDeps extends DoorsDeps, LeaseTimesDeps {
  /** By which a clock may be wrong: 0.01 is a percent. */
  readonly drift: number;
  /** Whether clocks find now and then that time has passed. */
  readonly clocksJump: boolean;
}

export class StoreWork {
  readonly #options: StoreWorkOptions;
  readonly #deps: StoreWorkDeps;
  readonly #doors: Doors;
  readonly #registers: Registers;
  readonly #lists: Lists;
  readonly #watchers: Watchers;
  readonly #times: LeaseTimes;

  constructor(options: StoreWorkOptions, deps: StoreWorkDeps) {
    this.#options = options;
    this.#deps = deps;
    const { truth } = deps;
    this.#doors = new Doors(deps);
    this.#registers = new Registers(this.#doors, new RangeReads(truth));
    this.#lists = new Lists(this.#doors);
    this.#watchers = new Watchers(this.#doors, truth);
    this.#times = new LeaseTimes(deps);
  }

  start(): void {
    const { registers, lists, leases, locks, watchers, rules, compactEveryMs } = this.#options;
    const { truth, drift, clocksJump, world } = this.#deps;
    truth.onDecided = (_, { result, term }) => {
      if (result?.kind !== "expiry" || result.expired.length === 0) return;
      this.#times.ended(result.expired, term);
      world.probes.reached("lease expired");
    };
    this.#registers.start(registers);
    this.#lists.start(lists);
    new LeaseHolders(this.#doors, this.#times).start(leases);
    const lockDeps = { times: this.#times, locks: new Locks(!clocksJump), drift };
    new LockClients(this.#doors, lockDeps).start(locks);
    this.#watchers.start(watchers);
    new RuleChanges(this.#doors).start(rules);
    if (compactEveryMs !== undefined) this.#doors.run(1, compactEveryMs, () => this.#compact());
  }

  /** Nothing new is begun; watches go on. */
  stop(): void {
    this.#doors.stop();
  }

  /** Whether the time of every lease was up, and every watch was told of everything. */
  get hasSettled(): boolean {
    return this.#deps.truth.store.leases.size === 0 && this.#watchers.areUpToDate;
  }

  /** Throws a SafetyViolation. */
  judge(searchSteps: number): "linearizable" | "undecided" {
    const verdict = checkTransactions(this.#lists.history);
    if (verdict.kind !== "serializable") throw new SafetyViolation(renderTransactionVerdict(verdict));
    return judge(this.#registers.history, searchSteps);
  }

  async #compact(): Promise<void> {
    const { random, world } = this.#doors;
    const back = random.below(40);
    const reply = await this.#doors.ask((member) => {
      const revision = BigInt(Math.max(1, member.status().revision - back));
      return member.propose({ case: "compact", value: create(CompactCommandSchema, { revision }) });
    });
    if (reply.kind === "ok") world.probes.reached("history given up");
  }
}

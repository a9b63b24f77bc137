/** The clients of one workload: loops until they are told to end, and the first thing that was wrong. */
import { DkvClientError } from "@dkv/client";
import { nowMs, sleep } from "../platform/time.ts";
import { Random } from "../random.ts";
import type { Access, Store } from "./store.ts";
import { Tally } from "./tally.ts";
import type { BadVerdict, WorkloadOptions } from "./workload.ts";

/** How long what must succeed is repeated: no fault lasts so long. */
const patienceMs = 90_000;

export type Reply<Result> =
  | { readonly kind: "ok"; readonly value: Result }
  /** It had no effect and never will; or that is not known. */
  | { readonly kind: "failed" | "unknown"; readonly error: DkvClientError };

/** One round of one loop. */
export interface Turn {
  /** Of the loop. */
  readonly name: string;
  readonly random: Random;
  /** Of another member in each round. */
  readonly client: Store;
  readonly round: number;
}

export interface LoopOptions {
  readonly count: number;
  readonly name: string;
  /** What each loop waits between two rounds, on the average; ten times that after a failure. */
  readonly paceMs: number;
  /** Ends the loops before the crew ends. */
  readonly until?: AbortSignal;
}

export class Crew {
  readonly tally = new Tally(nowMs());
  readonly clients: Access<Store>;
  readonly #options: WorkloadOptions;
  readonly #ending = new AbortController();
  #isAbandoned = false;
  #verdict: BadVerdict | undefined;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.clients = options.clients.stores;
  }

  get verdict(): BadVerdict | undefined {
    return this.#verdict;
  }

  /** Aborted when nothing new is to be begun. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Nothing is left to be judged. */
  get isOver(): boolean {
    return this.#isAbandoned || this.#verdict !== undefined;
  }

  /** Milliseconds since the run began; they never go back. */
  readonly now = (): number => nowMs() - this.#options.startedMs;

  end(): void {
    this.#ending.abort();
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.end();
  }

  /** The first thing that is wrong counts. */
  condemn(kind: BadVerdict["kind"], report: string): void {
    if (this.isOver) return;
    this.#verdict = { kind, report };
    this.#options.onVerdict(this.#verdict);
  }

  /** As {@link condemn}, if there is something to complain of. */
  complain(complaint: string | undefined): void {
    if (complaint !== undefined) this.condemn("violated", complaint);
  }

  randomFor(name: string): Random {
    return new Random(this.#options.seed, name);
  }

  /** Loops with one thing to do at a time. `act` resolves to whether it went well. */
  async loop(
    { count, name, paceMs, until = this.ending }: LoopOptions,
    act: (turn: Turn) => Promise<boolean>,
  ): Promise<void> {
    const run = async (index: number): Promise<void> => {
      const loop = `${name}-${String(index)}`;
      const random = this.randomFor(loop);
      for (let round = 0; !until.aborted && !this.isOver; round += 1) {
        const client = this.clients.next(index + round);
        const isWell = await act({ name: loop, random, client, round });
        await sleep(isWell ? random.below(2 * paceMs) : 10 * paceMs, until);
      }
    };
    await Promise.all(Array.from({ length: count }, (_, index) => run(index)));
  }

  /** Counts what came of it. */
  async ask<Result>(call: () => Promise<Result>): Promise<Reply<Result>> {
    try {
      const value = await call();
      this.tally.acknowledged += 1;
      return { kind: "ok", value };
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      const kind = error.retry === "outcomeUnknown" ? "unknown" : "failed";
      this.tally[kind] += 1;
      return { kind, error };
    }
  }

  /** Asks until there is an answer. Undefined if the crew is over, as it is when that takes too long. */
  async insist<Result>(what: string, call: (client: Store) => Promise<Result>): Promise<Result | undefined> {
    for (const deadlineMs = nowMs() + patienceMs; !this.isOver; await sleep(200)) {
      try {
        return await call(this.clients.all());
      } catch (error) {
        if (!(error instanceof DkvClientError)) throw error;
        if (nowMs() > deadlineMs)
          this.condemn("unreadable", `${what} cannot be had: ${error.code}, ${error.message}`);
      }
    }
    return undefined;
  }
}

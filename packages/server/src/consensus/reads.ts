/**
 * The linearizable reads that callers of this member wait for.
 *
 *   forming ──▶ one round at a time is on its way ──▶ confirmed at an index ──▶ applied: read now
 *      ▲             │ leadership changed, or no answer in time
 *      └─────────────┘
 *
 * All readers that arrive while a round is on its way share the next one, so a round costs the same
 * for one reader as for a thousand. A reader never joins a round that began before it arrived.
 * Source: Diss. §6.4.
 */
import type { LogIndex, ReadContext, ReadState } from "@dkv/raft";
import { DkvError } from "../platform/errors.ts";

interface Reader {
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: DkvError) => void;
}

interface Round {
  readonly context: ReadContext;
  readonly readers: readonly Reader[];
  readonly startedMs: number;
}

/** Readers who may read once the index is applied. */
interface Confirmed {
  readonly index: LogIndex;
  readonly readers: readonly Reader[];
}

export interface ReadLimits {
  /** Reads waited for at once. */
  readonly count: number;
  /** A round without an answer for so long is given up and a new one begun. */
  readonly roundTimeoutMs: number;
}

export class Reads {
  readonly #limits: ReadLimits;
  #forming: Reader[] = [];
  #round: Round | undefined;
  #confirmed: Confirmed[] = [];
  #count = 0;
  #earliestDeadlineMs = Number.POSITIVE_INFINITY;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#count;
  }

  /** Joins the round that is forming. */
  add(nowMs: number, timeoutMs: number): Promise<void> {
    if (this.#count >= this.#limits.count) {
      return Promise.reject(
        new DkvError("overloaded", "too many reads are waiting; try again a little later"),
      );
    }
    this.#count += 1;
    const deadlineMs = nowMs + timeoutMs;
    if (deadlineMs < this.#earliestDeadlineMs) this.#earliestDeadlineMs = deadlineMs;
    return new Promise((resolve, reject) => {
      this.#forming.push({ deadlineMs, resolve, reject });
    });
  }

  /** Whether a round should begin now. */
  get wantsRound(): boolean {
    return this.#round === undefined && this.#forming.length > 0;
  }

  /** Everybody who has arrived by now shares the round named `context`. */
  begin(context: ReadContext, nowMs: number): void {
    this.#round = { context, readers: this.#forming, startedMs: nowMs };
    this.#forming = [];
  }

  /** The round was confirmed: its readers may read once `state.index` is applied. */
  confirmed(state: ReadState, appliedIndex: LogIndex): void {
    const round = this.#round;
    if (round?.context !== state.context) return;
    this.#round = undefined;
    if (state.index <= appliedIndex) this.#release(round.readers);
    else this.#confirmed.push({ index: state.index, readers: round.readers });
  }

  /** The round will never be confirmed: its readers wait for the next. */
  dropped(context: ReadContext): void {
    if (this.#round?.context === context) this.#giveUpRound();
  }

  applied(appliedIndex: LogIndex): void {
    if (this.#confirmed.length === 0) return;
    const still: Confirmed[] = [];
    for (const group of this.#confirmed) {
      if (group.index <= appliedIndex) this.#release(group.readers);
      else still.push(group);
    }
    this.#confirmed = still;
  }

  /** Answers those whose time is up, and gives up a round whose answer seems lost. */
  expire(nowMs: number, quorum: () => string): void {
    if (this.#round !== undefined && nowMs - this.#round.startedMs >= this.#limits.roundTimeoutMs) {
      this.#giveUpRound();
    }
    if (nowMs < this.#earliestDeadlineMs) return;
    const late = (reader: Reader): boolean => reader.deadlineMs <= nowMs;
    const all = this.#everyone();
    if (!all.some(late)) {
      this.#earliestDeadlineMs = all.reduce(
        (least, reader) => Math.min(least, reader.deadlineMs),
        Number.POSITIVE_INFINITY,
      );
      return;
    }
    const error = new DkvError(
      "readTimeout",
      `no quorum confirmed the read in time (${quorum()}); a serializable read of what this member has does not need one`,
    );
    this.#reject(all.filter(late), error);
    const inTime = (readers: readonly Reader[]): Reader[] => readers.filter((reader) => !late(reader));
    this.#forming = inTime(this.#forming);
    if (this.#round !== undefined) this.#round = { ...this.#round, readers: inTime(this.#round.readers) };
    this.#confirmed = this.#confirmed.map(({ index, readers }) => ({ index, readers: inTime(readers) }));
  }

  /** Answers everybody: the member stops. */
  stop(): void {
    this.#reject(this.#everyone(), new DkvError("stopping", "this member is stopping; use another one"));
    this.#forming = [];
    this.#round = undefined;
    this.#confirmed = [];
  }

  #everyone(): readonly Reader[] {
    return [
      ...this.#forming,
      ...(this.#round?.readers ?? []),
      ...this.#confirmed.flatMap((group) => group.readers),
    ];
  }

  #giveUpRound(): void {
    this.#forming = [...(this.#round?.readers ?? []), ...this.#forming];
    this.#round = undefined;
  }

  #release(readers: readonly Reader[]): void {
    this.#count -= readers.length;
    for (const reader of readers) reader.resolve();
  }

  #reject(readers: readonly Reader[], error: DkvError): void {
    this.#count -= readers.length;
    for (const reader of readers) reader.reject(error);
  }
}

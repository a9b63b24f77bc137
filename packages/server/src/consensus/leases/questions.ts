/**
 * Questions about leases that callers of this member wait for. They gather while an answer to others is on
 * its way, so that a thousand cost about as much as one. What could not be answered is asked again, of
 * whoever leads then, until the time of its caller is up.
 */
import type { LeaseId } from "@dkv/store";
import type { Cancel, Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import { maxLeasesAsked } from "../requests/request-bodies.ts";
import type { LeaseTime } from "./lease-keeper.ts";

/** Waited for at once, by all callers together. */
const mostWaiting = 100_000;

export interface QuestionsDeps {
  readonly clock: Pick<Clock, "after" | "nowMs" | "soon">;
  /**
   * Asks whoever leads about these. Undefined if there was no answer, then not before it is worth to ask
   * again. Rejects with a DkvError if asking again is of no use.
   */
  readonly ask: (ids: readonly LeaseId[]) => Promise<readonly (LeaseTime | undefined)[] | undefined>;
  /** What callers are told whose time is up. */
  readonly late: () => DkvError;
}

interface Question {
  readonly id: LeaseId;
  readonly deadlineMs: number;
  readonly resolve: (time: LeaseTime | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class Questions {
  readonly #deps: QuestionsDeps;
  /** In the order in which they came. */
  readonly #waiting = new Set<Question>();
  #isAsking = false;
  /** One timer for all, at the earliest deadline there was. */
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined;

  constructor(deps: QuestionsDeps) {
    this.#deps = deps;
  }

  ask(id: LeaseId, timeoutMs: number): Promise<LeaseTime | undefined> {
    if (this.#waiting.size >= mostWaiting)
      return Promise.reject(
        new DkvError("overloaded", "too many questions about leases are waiting; try again a little later"),
      );
    const deadlineMs = this.#deps.clock.nowMs() + timeoutMs;
    return new Promise((resolve, reject) => {
      this.#waiting.add({ id, deadlineMs, resolve, reject });
      this.#lookAt(deadlineMs);
      this.#begin();
    });
  }

  /** Answers everybody: the member stops. */
  stop(error: DkvError): void {
    for (const question of this.#waiting) question.reject(error);
    this.#waiting.clear();
    this.#timer?.cancel();
  }

  /** Answers those whose time is up, not before then. */
  #lookAt(deadlineMs: number): void {
    if (this.#timer !== undefined && this.#timer.atMs <= deadlineMs) return;
    this.#timer?.cancel();
    const { clock } = this.#deps;
    const cancel = clock.after(deadlineMs - clock.nowMs(), () => {
      this.#timer = undefined;
      this.#expire();
    });
    this.#timer = { atMs: deadlineMs, cancel };
  }

  #expire(): void {
    const nowMs = this.#deps.clock.nowMs();
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const question of this.#waiting) {
      if (question.deadlineMs > nowMs) earliestMs = Math.min(earliestMs, question.deadlineMs);
      else {
        this.#waiting.delete(question);
        question.reject(this.#deps.late());
      }
    }
    if (earliestMs < Number.POSITIVE_INFINITY) this.#lookAt(earliestMs);
  }

  #begin(): void {
    if (this.#isAsking || this.#waiting.size === 0) return;
    this.#isAsking = true;
    // Others who ask in the same moment come along.
    this.#deps.clock.soon(() => void this.#askNext());
  }

  async #askNext(): Promise<void> {
    const asked = firstOf(this.#waiting, maxLeasesAsked);
    try {
      const times = asked.length === 0 ? [] : await this.#deps.ask(asked.map(({ id }) => id));
      if (times !== undefined)
        for (const [at, question] of asked.entries()) this.#answer(question, times[at]);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      for (const question of asked) if (this.#waiting.delete(question)) question.reject(reason);
    }
    this.#isAsking = false;
    this.#begin();
  }

  /** One whose time was up has gone. */
  #answer(question: Question, time: LeaseTime | undefined): void {
    if (this.#waiting.delete(question)) question.resolve(time);
  }
}

function firstOf<Item>(items: Iterable<Item>, most: number): readonly Item[] {
  const first: Item[] = [];
  for (const item of items) {
    if (first.length === most) break;
    first.push(item);
  }
  return first;
}

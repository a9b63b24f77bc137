/**
 * Decides whether a history could have come from one object that does one thing at a time (Herlihy and
 * Wing 1990): whether there is an order in which each operation takes effect between its call and its return
 * and has the result that its client saw.
 */
import { type Excerpt, excerptOf } from "./excerpt.ts";
import { assertWellFormed, type History } from "./history.ts";
import type { Model } from "./model.ts";
import { search } from "./search.ts";

export interface SearchLimits {
  /** Steps of the model after which the search is given up; the same history always takes as many. */
  readonly steps: number;
}

/** Some seconds and some hundred megabytes at most; a good history takes a few steps for each operation. */
export const defaultLimits: SearchLimits = { steps: 3_000_000 };

export type Verdict<Action, Result> =
  | { readonly kind: "linearizable" }
  | { readonly kind: "violated"; readonly violation: Violation<Action, Result> }
  /** Nobody knows: the search was given up after so many steps. Neither good nor bad. */
  | { readonly kind: "unknown"; readonly steps: number };

export interface Violation<Action, Result> extends Excerpt<Action, Result> {
  /** How many operations the judged history had. */
  readonly operations: number;
}

/**
 * Judges a history of one object. What never took effect, or perhaps did not, need not be in the order.
 *
 * @throws {RangeError} if the history is not one that a recorder writes.
 */
export function checkLinearizable<State extends object, Action, Result>(
  history: History<Action, Result>,
  model: Model<State, Action, Result>,
  limits: SearchLimits = defaultLimits,
): Verdict<Action, Result> {
  assertWellFormed(history);
  const found = search(history, model, limits);
  switch (found.kind) {
    case "order":
      return { kind: "linearizable" };
    case "gaveUp":
      return { kind: "unknown", steps: found.steps };
    case "none": {
      const violation = { ...excerptOf(history, model, limits.steps), operations: history.length };
      return { kind: "violated", violation };
    }
  }
}

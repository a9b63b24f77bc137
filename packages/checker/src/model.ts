/** What operations mean: the sequential behaviour that a concurrent history is held against. */
import type { Operation } from "./history.ts";

/** A small pure object. States are values that are never changed, actions plain data. */
export interface Model<State extends object, Action, Result> {
  readonly initial: State;
  /**
   * The state after an operation that took effect in `state`; undefined if it could not have had its result
   * there. An operation whose outcome is unknown could have had any result.
   */
  step(state: State, operation: Operation<Action, Result>): State | undefined;
  /** Texts are equal exactly for equal states. */
  hash(state: State): string;
  /** Whether it leaves every state as it is. Saying no is always correct, and slower. */
  isRead(operation: Operation<Action, Result>): boolean;
  /**
   * Names of values, by which the search looks ahead. An operation fits only into states that hold what it
   * `saw`, and can make a state hold nothing but what it `wrote`. Undefined: no value, or none worth a name.
   */
  holds(state: State): string | undefined;
  saw(operation: Operation<Action, Result>): string | undefined;
  wrote(operation: Operation<Action, Result>): string | undefined;
  /** For reports: what was asked and what was answered, in a few words. */
  describe(operation: Operation<Action, Result>): string;
}

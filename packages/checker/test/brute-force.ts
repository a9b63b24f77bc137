/** Judges by trying every order: slow, and so short that it is plainly right. For small histories. */
import { returnedAt } from "../src/history.ts";
import type { History, Model, Operation } from "../src/index.ts";

/** Whether some order of all that must have happened, and of any of what is optional, fits the model. */
export function hasOrder<State extends object, Action, Result>(
  history: History<Action, Result>,
  model: Model<State, Action, Result>,
  isOptional: (operation: Operation<Action, Result>) => boolean = isUnknown,
): boolean {
  const rest = history.filter(({ outcome }) => outcome.kind !== "failed");
  const step = (state: State, operation: Operation<Action, Result>): State | undefined =>
    model.step(state, operation);
  return anyOrder(rest, model.initial, { step, isOptional });
}

function isUnknown({ outcome }: Operation<unknown, unknown>): boolean {
  return outcome.kind === "unknown";
}

/** As `hasOrder`, for any function that says what an operation does to a state. */
export function anyOrder<State, Action, Result>(
  rest: History<Action, Result>,
  state: State,
  {
    step,
    isOptional = isUnknown,
  }: {
    readonly step: (state: State, operation: Operation<Action, Result>) => State | undefined;
    readonly isOptional?: (operation: Operation<Action, Result>) => boolean;
  },
): boolean {
  if (rest.every(isOptional)) return true;
  return rest.some((first) => {
    const others = rest.filter((one) => one !== first);
    const isFirst = others.every((one) => isOptional(one) || first.calledAt <= returnedAt(one));
    const after = isFirst ? step(state, first) : undefined;
    return after !== undefined && anyOrder(others, after, { step, isOptional });
  });
}

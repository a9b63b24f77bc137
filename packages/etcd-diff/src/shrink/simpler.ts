/** Requests that ask for less: a field or an item is left out, or a value is a plainer one. */
import type { Plain, PlainMessage } from "../message/plain.ts";
import { isList, type Step } from "../step.ts";

/** Each is the step with one thing less. Those that leave out most come first. */
export function* simplerSteps(step: Step): Generator<Step> {
  const { user, ...anonymous } = step;
  if (user !== undefined) yield anonymous;
  for (const request of simplerMessages(step.request)) yield { ...step, request };
}

function* simplerMessages(message: PlainMessage): Generator<PlainMessage> {
  for (const name of Object.keys(message)) {
    yield Object.fromEntries(Object.entries(message).filter(([other]) => other !== name));
  }
  for (const [name, value] of Object.entries(message)) {
    for (const simpler of simplerValues(value)) yield { ...message, [name]: simpler };
  }
}

function* simplerValues(value: Plain): Generator<Plain> {
  if (isList(value)) yield* simplerLists(value);
  else if (typeof value === "object" && value !== null) yield* simplerMessages(value);
}

function* simplerLists(list: readonly Plain[]): Generator<Plain> {
  const half = Math.floor(list.length / 2);
  if (half > 1) {
    yield list.slice(half);
    yield list.slice(0, half);
  }
  for (const at of list.keys()) yield list.toSpliced(at, 1);
  for (const [at, item] of list.entries()) {
    for (const simpler of simplerValues(item)) yield list.toSpliced(at, 1, simpler);
  }
}

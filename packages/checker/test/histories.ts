/** Histories in a few letters, for tests. Values stand for the operations that wrote them. */
import type { Operation, Outcome, RegisterAction, RegisterOperation, RegisterResult } from "../src/index.ts";

type Value = string | undefined;

/** `returnedAt` of an operation whose outcome is not known. */
export const never = "never";
/** An operation that certainly had no effect. */
export const failed = "failed";
type End = number | typeof never | typeof failed;

export function operation<Action, Result>(
  action: Action,
  result: Result,
  [calledAt, end]: readonly [number, End],
): Operation<Action, Result> {
  return { client: `c${calledAt}`, action, calledAt, outcome: outcomeOf(result, calledAt, end) };
}

function outcomeOf<Result>(result: Result, calledAt: number, end: End): Outcome<Result> {
  if (end === never) return { kind: "unknown" };
  if (end === failed) return { kind: "failed", at: calledAt + 1 };
  return { kind: "ok", at: end, result };
}

function onKey(
  action: RegisterAction,
  result: RegisterResult,
  times: readonly [number, End],
): RegisterOperation {
  return operation(action, result, times);
}

export const set = (value: string, calledAt: number, end: End): RegisterOperation =>
  onKey({ kind: "set", key: "k", value }, {}, [calledAt, end]);
export const get = (value: Value, calledAt: number, end: End): RegisterOperation =>
  onKey({ kind: "get", key: "k" }, { value }, [calledAt, end]);
export const remove = (applied: boolean | undefined, calledAt: number, end: End): RegisterOperation =>
  onKey({ kind: "delete", key: "k" }, { applied }, [calledAt, end]);
export const swap = (
  [expected, value]: readonly [Value, string],
  applied: boolean | undefined,
  [calledAt, end]: readonly [number, End],
): RegisterOperation =>
  onKey({ kind: "compareAndSet", key: "k", expected, value }, { applied }, [calledAt, end]);
/** The same on another key. */
export const on = (key: string, one: RegisterOperation): RegisterOperation => ({
  ...one,
  action: { ...one.action, key },
});

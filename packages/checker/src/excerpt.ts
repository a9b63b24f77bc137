/** Of a history that has no order, as few operations as show it. */
import { type History, type Operation, returnedAt } from "./history.ts";
import type { Model } from "./model.ts";
import { type Found, search } from "./search.ts";

export interface Excerpt<Action, Result> {
  /** The first operation, by return, for which there is no room beside all that returned before. */
  readonly stuckAt: Operation<Action, Result>;
  /** A few operations, `stuckAt` among them, in the order of their calls, that have no order either. */
  readonly excerpt: History<Action, Result>;
}

/**
 * Finds the operation where the history goes wrong, and leaves out others for as long as it goes wrong just
 * there. A write stays while a read of it does: a value out of nowhere is a different mistake. At most about
 * `steps` steps of the model are spent; if they do not suffice, the excerpt is longer.
 */
export function excerptOf<State extends object, Action, Result>(
  history: History<Action, Result>,
  model: Model<State, Action, Result>,
  steps: number,
): Excerpt<Action, Result> {
  let left = steps;
  const judge = (
    operations: History<Action, Result>,
    optional: ReadonlySet<Operation<Action, Result>>,
  ): Found["kind"] => {
    const found = search(operations, model, { steps: left, optional });
    left -= found.steps;
    return found.kind;
  };
  const returned = history
    .filter(({ outcome }) => outcome.kind === "ok")
    .sort((a, b) => returnedAt(a) - returnedAt(b));
  const count = shortest(returned.length, (size) => judge(history, new Set(returned.slice(size))) === "none");
  const stuckAt = returned[count - 1];
  if (stuckAt === undefined) throw new Error("a history where nothing returned has an order");
  const later = new Set(returned.slice(count));
  const withStuck = new Set([stuckAt, ...later]);

  let excerpt = history.filter(
    ({ calledAt, outcome }) => calledAt <= returnedAt(stuckAt) && outcome.kind !== "failed",
  );
  const unexplained = valuesOutOfNowhere(excerpt, model).size;
  for (const group of groups(excerpt, model, stuckAt)) {
    if (left <= 0) break;
    const fewer = excerpt.filter((one) => !group.has(one));
    if (fewer.length === excerpt.length || valuesOutOfNowhere(fewer, model).size > unexplained) continue;
    if (judge(fewer, later) === "none" && judge(fewer, withStuck) === "order") excerpt = fewer;
  }
  return { stuckAt, excerpt: excerpt.sort((a, b) => a.calledAt - b.calledAt) };
}

/** The smallest size up to `longest` that is bad, if all larger ones are as well. */
function shortest(longest: number, isBad: (size: number) => boolean): number {
  let [good, bad] = [0, longest];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isBad(middle)) bad = middle;
    else good = middle;
  }
  return bad;
}

function valuesOutOfNowhere<State extends object, Action, Result>(
  operations: History<Action, Result>,
  model: Model<State, Action, Result>,
): ReadonlySet<string | undefined> {
  const written = new Set(operations.map((one) => model.wrote(one)));
  return new Set(operations.map((one) => model.saw(one)).filter((value) => !written.has(value)));
}

/**
 * What to leave out: large parts first, then ever smaller ones, down to single operations. Reads go before
 * writes, which cannot go while a read of them is there.
 */
function* groups<State extends object, Action, Result>(
  history: History<Action, Result>,
  model: Model<State, Action, Result>,
  stuckAt: Operation<Action, Result>,
): Generator<ReadonlySet<Operation<Action, Result>>> {
  const others = history.filter((one) => one !== stuckAt);
  const reads = others.filter((one) => model.isRead(one));
  const writes = others.filter((one) => !model.isRead(one));
  for (let size = others.length; size > 0; size = Math.floor(size / 2)) {
    for (const list of [reads, writes]) {
      for (let from = 0; from < list.length; from += size) yield new Set(list.slice(from, from + size));
    }
  }
}

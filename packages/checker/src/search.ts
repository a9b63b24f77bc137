/**
 * Looks for an order of a history's operations: Wing and Gong's search (1993) with Lowe's memory of the
 * positions that led nowhere (2017).
 *
 * Operations that returned (here: done) must all be taken; those with an unknown outcome (here: open-ended)
 * may be taken at any time after their call. A search that tried all orders of what is concurrent, and each
 * subset of some hundred open-ended ones, would not end. Four rules leave little of it, and none of them
 * misses an order:
 *
 * - A read that fits is taken at once: it changes nothing for the others.
 * - A value goes only when all that must see it have seen it, unless somebody can still write it again.
 * - Of open-ended operations that ask for the same, the earliest goes first: the others fit wherever it does.
 * - An open-ended operation is taken only for the sake of the very next one. If that one would lead to the
 *   same state without it, it need not have taken effect.
 */
import { type History, type Operation, returnedAt } from "./history.ts";
import type { Model } from "./model.ts";

export interface Found {
  /** Whether there is an order; gaveUp: not known. */
  readonly kind: "order" | "none" | "gaveUp";
  /** How many steps of the model it took. */
  readonly steps: number;
}

/** What was taken so far, and where it led. The lists are short: as long as clients are many, not histories. */
interface Position<State> {
  /** Done operations from this one on are not taken; of those before it, all but `waiting`. */
  readonly next: number;
  readonly waiting: readonly number[];
  /** Open-ended operations that were taken, ascending. */
  readonly spent: readonly number[];
  readonly state: State;
  /** The state without the last operation, if that was an open-ended one. */
  readonly without: State | undefined;
}

/** Done operations are tried before open-ended ones, which most positions then never get to. */
interface Visit<State> {
  readonly position: Position<State>;
  readonly trying: "done" | "openEnded";
}

export interface SearchOptions<Action, Result> {
  /** Steps of the model before it gives up. */
  readonly steps: number;
  /** Done operations that are open-ended here: they keep their results, but need not be taken. */
  readonly optional?: ReadonlySet<Operation<Action, Result>>;
}

export function search<State extends object, Action, Result>(
  history: History<Action, Result>,
  model: Model<State, Action, Result>,
  { steps, optional }: SearchOptions<Action, Result>,
): Found {
  const sorted = history
    .filter(({ outcome }) => outcome.kind !== "failed")
    .sort((a, b) => a.calledAt - b.calledAt);
  const isDone = (one: Operation<Action, Result>): boolean =>
    one.outcome.kind === "ok" && optional?.has(one) !== true;
  const openEnded = sorted.filter((one) => !isDone(one) && !model.isRead(one));
  return new Search(sorted.filter(isDone), openEnded, model).run(steps);
}

class Search<State extends object, Action, Result> {
  readonly #model: Model<State, Action, Result>;
  readonly #done: History<Action, Result>;
  readonly #openEnded: History<Action, Result>;
  /** What each open-ended one asks for, in a form that can be compared. */
  readonly #asked: readonly string[];
  readonly #seeing: ReadonlyMap<string, readonly number[]>;
  readonly #writing: ReadonlyMap<string, readonly number[]>;
  readonly #perhapsWriting: ReadonlyMap<string, readonly number[]>;
  readonly #visited = new Set<string>();
  #steps = 0;

  constructor(
    done: History<Action, Result>,
    openEnded: History<Action, Result>,
    model: Model<State, Action, Result>,
  ) {
    this.#model = model;
    this.#done = done;
    this.#openEnded = openEnded;
    this.#asked = openEnded.map(({ action, outcome }) =>
      JSON.stringify([action, outcome.kind === "ok" ? [outcome.result] : []]),
    );
    this.#seeing = indexesBy(done.map((one) => model.saw(one)));
    this.#writing = indexesBy(done.map((one) => model.wrote(one)));
    this.#perhapsWriting = indexesBy(openEnded.map((one) => model.wrote(one)));
  }

  run(limit: number): Found {
    const { initial } = this.#model;
    const start = { next: 0, waiting: [], spent: [], state: initial, without: undefined };
    const stack: Visit<State>[] = [{ position: start, trying: "done" }];
    for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
      if (this.#steps >= limit) return { kind: "gaveUp", steps: this.#steps };
      const { position, trying } = visit;
      if (trying === "done" && this.#wasVisited(position)) continue;
      const deadline = this.#deadline(position);
      if (deadline === undefined) return { kind: "order", steps: this.#steps };
      if (trying === "openEnded") {
        for (const after of this.#afterOpenEnded(position, deadline)) {
          stack.push({ position: after, trying: "done" });
        }
        continue;
      }
      const { positions, isForced } = this.#afterDone(position, deadline);
      if (!isForced) stack.push({ position, trying: "openEnded" });
      for (const after of positions) stack.push({ position: after, trying: "done" });
    }
    return { kind: "none", steps: this.#steps };
  }

  #wasVisited({ next, waiting, spent, state, without }: Position<State>): boolean {
    const hashes = [state, ...(without === undefined ? [] : [without])].map((one) => this.#model.hash(one));
    const key = JSON.stringify([next, waiting, spent, ...hashes]);
    if (this.#visited.has(key)) return true;
    this.#visited.add(key);
    return false;
  }

  /**
   * The earliest return of what must still be taken: nothing that was called after that may be taken before.
   * Undefined: all is taken.
   */
  #deadline({ next, waiting }: Position<State>): number | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    for (const index of waiting) earliest = Math.min(earliest, returnedAt(this.#doneAt(index)));
    for (let index = next; index < this.#done.length; index += 1) {
      const operation = this.#doneAt(index);
      if (operation.calledAt > earliest) break;
      earliest = Math.min(earliest, returnedAt(operation));
    }
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  /** What done operations lead to, the most urgent last; where a read fits, that alone, and it is forced. */
  #afterDone(
    position: Position<State>,
    deadline: number,
  ): { readonly positions: readonly Position<State>[]; readonly isForced: boolean } {
    const found: { readonly returned: number; readonly after: Position<State> }[] = [];
    for (const index of this.#callable(position, deadline)) {
      const operation = this.#doneAt(index);
      const state = this.#step(position, operation);
      if (state === undefined) continue;
      const after = take(position, index, state);
      if (this.#model.isRead(operation)) return { positions: [after], isForced: true };
      if (!this.#losesValue(position, after)) found.push({ returned: returnedAt(operation), after });
    }
    found.sort((a, b) => b.returned - a.returned);
    return { positions: found.map(({ after }) => after), isForced: false };
  }

  *#callable({ next, waiting }: Position<State>, deadline: number): Generator<number> {
    yield* waiting;
    for (let index = next; index < this.#done.length; index += 1) {
      if (this.#doneAt(index).calledAt > deadline) return;
      yield index;
    }
  }

  #afterOpenEnded(position: Position<State>, deadline: number): readonly Position<State>[] {
    const found: Position<State>[] = [];
    const tried = new Set<string>();
    for (const [index, operation] of this.#openEnded.entries()) {
      if (operation.calledAt > deadline) break;
      const asked = this.#asked[index] ?? "";
      if (position.spent.includes(index) || tried.has(asked)) continue;
      tried.add(asked);
      const state = this.#step(position, operation);
      if (state === undefined) continue;
      const spent = [...position.spent, index].sort((a, b) => a - b);
      const after = { ...position, spent, state, without: position.state };
      if (!this.#losesValue(position, after)) found.push(after);
    }
    return found;
  }

  /** Whether a value is gone that a done operation has yet to see, and that nobody is left to write. */
  #losesValue(before: Position<State>, after: Position<State>): boolean {
    const value = this.#model.holds(before.state);
    if (value === undefined || this.#model.holds(after.state) === value) return false;
    const isOpen = (index: number): boolean => index >= after.next || after.waiting.includes(index);
    return (
      this.#seeing.get(value)?.some(isOpen) === true &&
      this.#writing.get(value)?.some(isOpen) !== true &&
      this.#perhapsWriting.get(value)?.every((index) => after.spent.includes(index)) !== false
    );
  }

  /** The state after one more operation; undefined if it does not fit, or makes the open-ended one before vain. */
  #step({ state, without }: Position<State>, operation: Operation<Action, Result>): State | undefined {
    this.#steps += 1;
    const after = this.#model.step(state, operation);
    if (after === undefined || without === undefined) return after;
    const otherwise = this.#model.step(without, operation);
    if (otherwise === undefined) return after;
    return this.#model.hash(otherwise) === this.#model.hash(after) ? undefined : after;
  }

  #doneAt(index: number): Operation<Action, Result> {
    const operation = this.#done[index];
    if (operation === undefined) throw new RangeError(`there is no operation ${index}`);
    return operation;
  }
}

function take<State>(
  { next, waiting, spent }: Position<State>,
  index: number,
  state: State,
): Position<State> {
  if (index < next) {
    return { next, waiting: waiting.filter((one) => one !== index), spent, state, without: undefined };
  }
  const skipped = Array.from({ length: index - next }, (_, offset) => next + offset);
  return { next: index + 1, waiting: [...waiting, ...skipped], spent, state, without: undefined };
}

/** Where in a list each name stands. */
function indexesBy(names: readonly (string | undefined)[]): ReadonlyMap<string, readonly number[]> {
  const indexes = new Map<string, number[]>();
  for (const [index, name] of names.entries()) {
    if (name === undefined) continue;
    const known = indexes.get(name);
    if (known === undefined) indexes.set(name, [index]);
    else known.push(index);
  }
  return indexes;
}

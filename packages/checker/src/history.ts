/**
 * What clients did and saw: the only thing that a judge of this package is given.
 *
 * Times are numbers of any unit, on one clock for the whole history. Two operations of which one returned at
 * the very moment when the other was called count as concurrent; whoever can number events (a simulator, a
 * single process) does better with such numbers than with times.
 */

/** One operation of one client. `Action` says what was asked, `Result` what was answered. */
export interface Operation<Action, Result> {
  /** Who asked; shown in reports. Nothing is concluded from its order, only from times. */
  readonly client: string;
  readonly action: Action;
  /** Not later than the moment when the request left. */
  readonly calledAt: number;
  readonly outcome: Outcome<Result>;
}

export type Outcome<Result> =
  /** It took effect between the call and `at`, which is not earlier than the moment when the answer came. */
  | { readonly kind: "ok"; readonly at: number; readonly result: Result }
  /** It certainly had no effect and never will. */
  | { readonly kind: "failed"; readonly at: number }
  /** It may take effect at any moment after its call, or never. */
  | { readonly kind: "unknown" };

export type History<Action, Result> = readonly Operation<Action, Result>[];

/** How an operation that was begun ends. Called once; a second call throws. */
export interface Pending<Result> {
  ok(result: Result): void;
  /** Only where it is certain that it had no effect and never will; otherwise it is unknown. */
  failed(): void;
  unknown(): void;
}

/** Writes a history down while it happens. */
export class Recorder<Action, Result> {
  readonly #now: () => number;
  readonly #operations: Operation<Action, Result>[] = [];

  /** `now` never decreases. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** To be called before the request leaves. */
  begin(client: string, action: Action): Pending<Result> {
    const index = this.#operations.length;
    const begun: Operation<Action, Result> = {
      client,
      action,
      calledAt: this.#now(),
      outcome: { kind: "unknown" },
    };
    this.#operations.push(begun);
    let settled = false;
    const settle = (outcome: Outcome<Result>): void => {
      if (settled) throw new Error(`an operation of ${client} was settled twice`);
      settled = true;
      this.#operations[index] = { ...begun, outcome };
    };
    return {
      ok: (result) => settle({ kind: "ok", at: this.#now(), result }),
      failed: () => settle({ kind: "failed", at: this.#now() }),
      unknown: () => settle({ kind: "unknown" }),
    };
  }

  /** All that was begun so far, in the order of the calls; what has not ended is unknown. */
  history(): History<Action, Result> {
    return [...this.#operations];
  }
}

/** When it had returned: never, if its outcome is unknown. */
export function returnedAt({ outcome }: Operation<unknown, unknown>): number {
  return outcome.kind === "unknown" ? Number.POSITIVE_INFINITY : outcome.at;
}

/**
 * Refuses what no recorder writes. A judge that went on would call it good or bad without meaning.
 *
 * @throws {RangeError} if an operation returned before its call, or a time is not a finite number.
 */
export function assertWellFormed(history: History<unknown, unknown>): void {
  for (const operation of history) {
    const { client, calledAt, outcome } = operation;
    const times = outcome.kind === "unknown" ? [calledAt] : [calledAt, outcome.at];
    if (!times.every(Number.isFinite) || returnedAt(operation) < calledAt) {
      throw new RangeError(`an operation of ${client} has impossible times: ${times.join(" to ")}`);
    }
  }
}

/** The parts of a history that can be judged apart from each other, in the order of their first operations. */
export function partition<Action, Result>(
  history: History<Action, Result>,
  keyOf: (action: Action) => string,
): ReadonlyMap<string, History<Action, Result>> {
  const parts = new Map<string, Operation<Action, Result>[]>();
  for (const operation of history) {
    const key = keyOf(operation.action);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [operation]);
    else part.push(operation);
  }
  return parts;
}

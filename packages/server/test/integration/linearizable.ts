/**
 * Decides whether what clients saw of one key could have come from a single register.
 *
 * Wing and Gong's search with Lowe's memory: look for an order of the operations in which each takes
 * effect at one moment between its call and its return, and each read sees the latest write. Every
 * write has a value of its own, which keeps the search short.
 */

/** One operation on one key, with times on the clock of the process that recorded them. */
export interface Operation {
  readonly kind: "write" | "read";
  /** What was written or seen; undefined: no such key. */
  readonly value: string | undefined;
  readonly calledAt: number;
  /** Infinity: the outcome is not known, it may take effect at any later time. */
  readonly returnedAt: number;
}

export type Verdict =
  | { readonly kind: "linearizable" }
  | { readonly kind: "impossible"; readonly stuckAt: Operation };

/** Checks the history of one key, whose register is empty at first. */
export function checkRegister(history: readonly Operation[]): Verdict {
  const operations = relevant(history).sort((a, b) => a.calledAt - b.calledAt);
  const seen = new Set<string>();
  const stack: Position[] = [{ first: 0, beyond: [], value: undefined }];
  let furthest = 0;
  for (let position = stack.pop(); position !== undefined; position = stack.pop()) {
    const settled = skipObvious(operations, position);
    if (settled.first === operations.length) return { kind: "linearizable" };
    furthest = Math.max(furthest, settled.first);
    const key = `${String(settled.first)}|${settled.beyond.join(",")}|${settled.value ?? "\0"}`;
    if (seen.has(key)) continue;
    seen.add(key);
    for (const index of candidates(operations, settled)) stack.push(take(operations, settled, index));
  }
  const stuckAt = operations[furthest];
  if (stuckAt === undefined) throw new Error("an empty history is linearizable");
  return { kind: "impossible", stuckAt };
}

/** How far the search has come: everything before `first`, and `beyond` it these, have taken effect. */
interface Position {
  readonly first: number;
  readonly beyond: readonly number[];
  readonly value: string | undefined;
}

/**
 * Without reads whose outcome is unknown, and writes of that kind which nobody saw: they need not have
 * happened.
 */
function relevant(history: readonly Operation[]): Operation[] {
  const observed = new Set(history.filter(({ kind }) => kind === "read").map(({ value }) => value));
  return history.filter(
    (one) => one.returnedAt !== Infinity || (one.kind === "write" && observed.has(one.value)),
  );
}

/** A read that sees the present value may always take effect at once: it changes nothing for the others. */
function skipObvious(operations: readonly Operation[], position: Position): Position {
  let current = position;
  for (;;) {
    const index = candidates(operations, current).find((candidate) => operations[candidate]?.kind === "read");
    if (index === undefined) return current;
    current = take(operations, current, index);
  }
}

/** The operations that may take effect next: called before any other pending one has returned. */
function candidates(operations: readonly Operation[], { first, beyond, value }: Position): number[] {
  const found: number[] = [];
  let earliestReturn = Infinity;
  for (let index = first; index < operations.length; index += 1) {
    const operation = operations[index];
    if (operation === undefined || operation.calledAt > earliestReturn) break;
    if (beyond.includes(index)) continue;
    earliestReturn = Math.min(earliestReturn, operation.returnedAt);
    found.push(index);
  }
  return found.filter((index) => {
    const operation = operations[index];
    if (operation === undefined || operation.calledAt > earliestReturn) return false;
    return operation.kind === "write" || operation.value === value;
  });
}

function take(operations: readonly Operation[], { first, beyond, value }: Position, index: number): Position {
  const operation = operations[index];
  const next = operation?.kind === "write" ? operation.value : value;
  const taken = [...beyond, index].sort((a, b) => a - b);
  let start = first;
  while (taken[0] === start) {
    taken.shift();
    start += 1;
  }
  return { first: start, beyond: taken, value: next };
}

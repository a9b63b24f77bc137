/** Operations as lines that a person reads beside each other. */
import { type History, type Operation, returnedAt } from "./history.ts";
import type { Violation } from "./linearizable.ts";

const mostLines = 40;

/** Why a history has no order, for people: a sentence, then a line for each operation of the excerpt. */
export function renderViolation<Action, Result>(
  { stuckAt, excerpt, operations }: Violation<Action, Result>,
  describe: (operation: Operation<Action, Result>) => string,
): string {
  return [
    `not linearizable: ${describe(stuckAt)}`,
    `${operations} operations were judged; no order exists even for ${excerpt.length === 1 ? "this one" : `these ${excerpt.length}`}:`,
    ...renderOperations(excerpt, describe, stuckAt),
  ].join("\n");
}

/** One line an operation: when, who, what. `marked` has a sign in front. */
export function renderOperations<Action, Result>(
  operations: History<Action, Result>,
  describe: (operation: Operation<Action, Result>) => string,
  marked?: Operation<Action, Result>,
): readonly string[] {
  const shown = operations.slice(-mostLines);
  const rows = shown.map((operation) => ({ operation, when: interval(operation) }));
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));
  const whenWidth = widest(rows.map(({ when }) => when));
  const whoWidth = widest(shown.map(({ client }) => client));
  const lines = rows.map(({ operation, when }) => {
    const sign = operation === marked ? ">" : " ";
    return `${sign} ${when.padEnd(whenWidth)}  ${operation.client.padEnd(whoWidth)}  ${describe(operation)}`;
  });
  const missing = operations.length - shown.length;
  return missing === 0 ? lines : [`  ${missing} earlier ones are not shown`, ...lines];
}

function interval(operation: Operation<unknown, unknown>): string {
  const { calledAt, outcome } = operation;
  const end = outcome.kind === "unknown" ? "unknown" : rounded(returnedAt(operation));
  return `${rounded(calledAt)} .. ${end}${outcome.kind === "failed" ? " failed" : ""}`;
}

function rounded(time: number): string {
  return Number.isInteger(time) ? String(time) : time.toFixed(3);
}

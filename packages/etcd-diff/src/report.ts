/** What the tool prints of a difference. */
import type { Finding } from "./compare/finding.ts";
import { describe, describeStep, type Step } from "./step.ts";

/** Of the two servers. */
export type ServerNames = readonly [string, string];

/** More are not shown: nobody reads them, and the file has them all. */
const mostSteps = 40;

/** The stream, a line for each step; of a long one its end. */
export function renderSteps(steps: readonly Step[]): string {
  const from = Math.max(0, steps.length - mostSteps);
  const lines = steps
    .slice(from)
    .map((step, at) => `  ${String(from + at + 1).padStart(4)}  ${describeStep(step)}`);
  return [...(from === 0 ? [] : [`  (${String(from)} steps before)`]), ...lines].join("\n");
}

/** What each of the two made of it. */
export function renderFinding({ at, what, difference, a, b }: Finding, names: ServerNames): string {
  const width = Math.max(...names.map((name) => name.length));
  const [first = "", second = ""] = names.map((name) => name.padEnd(width));
  const place = difference.path === "" ? "" : `, at ${difference.path}`;
  const value = (of: typeof difference.a): string => (of === undefined ? "nothing" : describe(of));
  return [
    `A difference in ${what}, after step ${String(at + 1)}${place}:`,
    `  ${first}  ${value(difference.a)}`,
    `  ${second}  ${value(difference.b)}`,
    "All of it:",
    `  ${first}  ${describe(a)}`,
    `  ${second}  ${describe(b)}`,
  ].join("\n");
}

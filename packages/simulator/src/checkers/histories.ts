/** Linearizability of what the clients saw, by the judge that also judges real processes. */
import { checkRegisters, type RegisterHistory, renderViolation, registerModel } from "@dkv/checker";
import { SafetyViolation } from "./truth.ts";

/** Steps of the search; good histories take a few for each operation. */
export const mostSearchSteps = 3_000_000;

/** Throws a SafetyViolation. "undecided" if the search had to be given up: neither good nor bad. */
export function judge(history: RegisterHistory, steps: number): "linearizable" | "undecided" {
  const verdict = checkRegisters(history, { steps });
  if (verdict.kind === "violated")
    throw new SafetyViolation(
      `not linearizable\n${renderViolation(verdict.violation, (operation) => registerModel.describe(operation))}`,
    );
  return verdict.kind === "unknown" ? "undecided" : "linearizable";
}

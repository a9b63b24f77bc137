/** Linearizability of what the clients saw, by the judge that also judges real processes. */
import { checkRegisters, type RegisterHistory, renderViolation, registerModel } from "@dkv/checker";
import { SafetyViolation } from "./truth.ts";

/** Steps of the search; good histories take a few for each operation. */
const limits = { steps: 3_000_000 };

/** Throws a SafetyViolation. Returns false if the search had to be given up. */
export function judge(history: RegisterHistory): boolean {
  const verdict = checkRegisters(history, limits);
  if (verdict.kind === "violated")
    throw new SafetyViolation(
      `not linearizable\n${renderViolation(verdict.violation, (operation) => registerModel.describe(operation))}`,
    );
  return verdict.kind === "linearizable";
}

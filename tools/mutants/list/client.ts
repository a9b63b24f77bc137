/** What the client may repeat. */
import type { Mutant } from "../mutant.ts";

export const clientMutants: readonly Mutant[] = [
  {
    does: "repeats a write whose outcome is unknown",
    file: "packages/client/src/retry.ts",
    guard: `return retry === "notApplied" || effect !== "once";`,
    instead: `return retry !== "never" || effect !== "once";`,
    tests: ["packages/client/test/retry.test.ts", "packages/client/test/*.test.ts"],
  },
  {
    does: "repeats what was refused for good",
    file: "packages/client/src/retry.ts",
    guard: `  if (retry === "never") return false;\n`,
    tests: ["packages/client/test/client.test.ts", "packages/client/test/*.test.ts"],
  },
];

/**
 * The linter finds what it is there for: a rule that was mistyped or switched off would go unnoticed
 * otherwise.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { root } from "./sources.ts";

const expected = [
  "eslint(max-params)",
  "eslint(no-restricted-globals)",
  "eslint(no-restricted-imports)",
  "eslint(no-restricted-properties)",
  "eslint(no-warning-comments)",
  "node(no-process-env)",
  "typescript(consistent-type-imports)",
  "typescript(no-explicit-any)",
  "typescript(no-floating-promises)",
  "typescript(no-misused-promises)",
  "typescript(no-non-null-assertion)",
  "typescript(prefer-readonly)",
  "typescript(require-array-sort-compare)",
  "typescript(switch-exhaustiveness-check)",
];

describe("the linter", () => {
  it("finds each of the planted mistakes", async () => {
    const found = new Set((await lint("tools/planted")).map(({ code }) => code));
    assert.deepEqual(
      expected.filter((rule) => !found.has(rule)),
      [],
    );
  });
});

async function lint(path: string): Promise<readonly { readonly code: string }[]> {
  const { promise, resolve } = Promise.withResolvers<string>();
  // It exits with 1 because it finds something.
  execFile(
    "node_modules/.bin/oxlint",
    ["--type-aware", "--format=json", path],
    { cwd: root },
    (_, output) => {
      resolve(output);
    },
  );
  const report = JSON.parse(await promise) as { readonly diagnostics: readonly { readonly code: string }[] };
  return report.diagnostics;
}

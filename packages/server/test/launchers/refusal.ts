import assert from "node:assert/strict";
import { StartupError } from "../../src/platform/startup-error.ts";

/** A predicate for assert.rejects and assert.throws: a StartupError that says this. */
export function refusal(pattern: RegExp, kind: StartupError["kind"] = "usage") {
  return (error: unknown): true => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, pattern);
    assert.equal(error.kind, kind);
    return true;
  };
}

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { connectCodes } from "../../src/api/errors.ts";
import { errorCodes } from "../../src/platform/errors.ts";

describe("the table of statuses", () => {
  it("has every error of dkv and nothing else", () => {
    assert.deepEqual(new Set(Object.keys(connectCodes)), new Set(errorCodes));
  });

  it("never says that something is unknown, or ours, which dkv knows", () => {
    for (const code of errorCodes) {
      assert.ok(connectCodes[code] !== Code.Unknown && connectCodes[code] !== Code.Internal, code);
    }
  });
});

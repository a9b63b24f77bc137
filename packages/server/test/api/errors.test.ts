import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { serverCodes } from "../../../client/src/errors.ts";
import { connectCodes } from "../../src/api/errors.ts";
import { errorCodes } from "../../src/platform/errors.ts";

describe("the table of statuses", () => {
  it("has every error of dkv and nothing else", () => {
    assert.deepEqual(new Set(Object.keys(connectCodes)), new Set(errorCodes));
  });

  it("has names that the client knows", () => {
    const onTheWire = errorCodes.map((code) =>
      code.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    assert.deepEqual(new Set<string>(serverCodes), new Set(onTheWire));
  });

  it("never says that something is unknown, or ours, which dkv knows", () => {
    for (const code of errorCodes) {
      assert.ok(connectCodes[code] !== Code.Unknown && connectCodes[code] !== Code.Internal, code);
    }
  });
});

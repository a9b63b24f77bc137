/** What stands behind the question mark of a URL. */
import assert from "node:assert/strict";
import { damaged, fuzz } from "@dkv/fuzz";
import fc from "fast-check";
import { readParameters } from "../../src/api/query/parameters.ts";

const parameter = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.uint8Array({ maxLength: 16 }));

/** Every byte, written in one of the ways in which it may be. */
function escaped(bytes: Uint8Array): string {
  const written = [...bytes].map((byte) => {
    const character = String.fromCharCode(byte);
    if (byte === 0x20 || (/[^%+&=]/.test(character) && byte % 3 === 0))
      return byte === 0x20 ? "+" : character;
    return `%${byte.toString(16).padStart(2, "0")}`;
  });
  return written.join("");
}

const queries = fc
  .array(parameter, { maxLength: 6 })
  .map((pairs) => pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join("&"))
  .map((query) => Buffer.from(query, "latin1"));

fuzz("query of a URL", {
  input: fc.oneof(queries, damaged(queries)),
  check(bytes) {
    const query = Buffer.from(bytes).toString("latin1");
    const parameters = readParameters(query);
    const whole = [...parameters].map(([name, value]) => `${escaped(Buffer.from(name))}=${escaped(value)}`);
    assert.deepEqual([...readParameters(whole.join("&"))], [...parameters], "what was read is read again");
    assert.ok(parameters.size <= query.split("&").length);
  },
});

/** Configurations, as they come in entries, snapshots and introductions. */
import assert from "node:assert/strict";
import { damaged, fuzz, readOrRefused } from "@dkv/fuzz";
import fc from "fast-check";
import { decodeConfiguration, encodeConfiguration } from "../src/configuration/codec.ts";
import { type Configuration, flawOf } from "../src/configuration/configuration.ts";
import { nodeId } from "../src/types.ts";

const id = fc.oneof(fc.bigInt({ min: 0n, max: 4n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(nodeId);
const ids = fc.array(id, { maxLength: 9 });
/** Sound or not: an id may be there twice. */
const configuration = fc
  .record({ voters: ids, outgoing: ids, learners: ids, context: fc.uint8Array({ maxLength: 40 }) })
  .map(encodeConfiguration);

class Refused extends Error {}

/** A RangeError alone says little: reading beyond the end gives one too. */
function refusing(bytes: Uint8Array): Configuration {
  try {
    return decodeConfiguration(bytes);
  } catch (error) {
    if (error instanceof RangeError && error.message.startsWith("these bytes are no configuration"))
      throw new Refused();
    throw error;
  }
}

fuzz("configurations", {
  input: damaged(configuration),
  check(bytes) {
    const decoded = readOrRefused(() => refusing(bytes), Refused);
    if (decoded === undefined) return;
    assert.equal(flawOf(decoded), undefined);
    assert.deepEqual(Buffer.from(encodeConfiguration(decoded)), Buffer.from(bytes));
  },
});

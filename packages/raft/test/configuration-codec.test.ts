/** Configurations as bytes: what was written is read, and nothing else is believed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeConfiguration, encodeConfiguration } from "../src/configuration/codec.ts";
import { type Configuration, flawOf, noMembers } from "../src/configuration/configuration.ts";
import { nodeId } from "../src/types.ts";
import { bytes, members } from "./solo.ts";

const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(nodeId);

const configurations: fc.Arbitrary<Configuration> = fc
  .record({
    voters: fc.uniqueArray(id, { minLength: 1, maxLength: 9 }),
    outgoing: fc.uniqueArray(id, { maxLength: 9 }),
    learners: fc.uniqueArray(id, { maxLength: 9 }),
    context: fc.uint8Array({ maxLength: 40 }),
  })
  .map((one) => ({ ...one, learners: one.learners.filter((learner) => !one.voters.includes(learner)) }));

/** Refused, or sound. Anything else that is thrown is a mistake. */
function decodeOrRefuse(data: Uint8Array): Configuration | undefined {
  try {
    const configuration = decodeConfiguration(data);
    assert.equal(flawOf(configuration), undefined);
    return configuration;
  } catch (error) {
    assert.ok(error instanceof RangeError && error.message.startsWith("these bytes are no configuration"));
    return undefined;
  }
}

test("what was encoded is decoded, wherever the bytes stand", () => {
  fc.assert(
    fc.property(configurations, (configuration) => {
      const data = encodeConfiguration(configuration);
      assert.deepEqual(decodeConfiguration(data), configuration);
      const inside = new Uint8Array(data.length + 5);
      inside.set(data, 3);
      assert.deepEqual(decodeConfiguration(inside.subarray(3, 3 + data.length)), configuration);
    }),
  );
});

test("the bytes are those of the format, so that other versions read them", () => {
  const configuration = { ...members([1, 2], { outgoing: [1], learners: [258] }), context: bytes("x") };
  const hex = Buffer.from(encodeConfiguration(configuration)).toString("hex");
  const ids = ["1", "2", "1", "102"].map((text) => text.padStart(16, "0")).join("");
  assert.equal(hex, `01${"000200010001"}${ids}${"78"}`);
});

test("nobody at all is a configuration too", () => {
  assert.deepEqual(decodeConfiguration(encodeConfiguration(noMembers)), noMembers);
});

test("an encoding that is cut off is refused, or has lost only of its context", () => {
  fc.assert(
    fc.property(configurations, (configuration) => {
      const data = encodeConfiguration(configuration);
      const idsEnd = data.length - configuration.context.length;
      for (let length = 0; length < data.length; length += 1) {
        const decoded = decodeOrRefuse(data.subarray(0, length));
        if (length < idsEnd) assert.equal(decoded, undefined);
        else
          assert.deepEqual(decoded, {
            ...configuration,
            context: configuration.context.subarray(0, length - idsEnd),
          });
      }
    }),
    { numRuns: 30 },
  );
});

test("an encoding with any bit flipped is refused, or sound", () => {
  fc.assert(
    fc.property(configurations, (configuration) => {
      const data = encodeConfiguration(configuration);
      for (let bit = 0; bit < data.length * 8; bit += 1) {
        const flipped = Uint8Array.from(data);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const decoded = decodeOrRefuse(flipped);
        if (bit < 8) assert.equal(decoded, undefined, "another format");
      }
    }),
    { numRuns: 30 },
  );
});

test("members that are named twice, or as voter and learner, are refused", () => {
  for (const flawed of [members([1, 1]), members([1], { learners: [1] }), members([], { learners: [1] })])
    assert.throws(() => decodeConfiguration(encodeConfiguration(flawed)), RangeError);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { damaged, inPieces } from "../src/damage.ts";
import { damagedMessage } from "../src/protobuf.ts";

/** A tag and a length, and as many bytes. */
const message = Buffer.concat([Buffer.from([0x0a, 20]), Buffer.alloc(20, 7), Buffer.from([0x10, 5])]);
const valid = fc.constant(message);
const seed = 1;

test("what is damaged is often nearly right, and sometimes not damaged at all", () => {
  const samples = fc.sample(damaged(valid), { numRuns: 2000, seed });
  const same = samples.filter((bytes) => bytes.equals(message)).length;
  const near = samples.filter((bytes) => bytes.subarray(0, 2).equals(message.subarray(0, 2))).length;
  assert.ok(same > 100 && same < 1000, String(same));
  assert.ok(near > 800 && near < 1900, String(near));
});

test("the bytes that are given are not changed", () => {
  const before = Buffer.from(message);
  fc.sample(damaged(valid), { numRuns: 500, seed });
  fc.sample(damagedMessage(valid), { numRuns: 500, seed });
  assert.deepEqual(message, before);
});

test("messages are also given other fields, with lengths that are right", () => {
  const samples = fc.sample(damagedMessage(valid), { numRuns: 2000, seed });
  const isWhole = (bytes: Buffer): boolean => {
    let at = 0;
    while (at < bytes.length) {
      if (bytes[at] === 0x0a) at += 2 + (bytes[at + 1] ?? 0);
      else if (bytes[at] === 0x10) at += 2;
      else return false;
    }
    return at === bytes.length;
  };
  const others = samples.filter((bytes) => !bytes.equals(message) && isWhole(bytes));
  assert.ok(others.length > 200, String(others.length));
});

test("pieces are the whole", () => {
  fc.assert(
    fc.property(inPieces(damaged(valid)), (pieces) => {
      assert.ok(pieces.every(({ length }) => length > 0));
    }),
  );
  fc.assert(
    fc.property(inPieces(fc.constant(message)), (pieces) => {
      assert.deepEqual(Buffer.concat(pieces), message);
    }),
  );
});

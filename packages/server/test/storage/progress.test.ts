import assert from "node:assert/strict";
import { test } from "node:test";
import { seal } from "../../src/storage/checksum.ts";
import { DamageError } from "../../src/storage/damage.ts";
import { sealPart, unsealPart } from "../../src/storage/snapshot/progress.ts";
import { incomingKey } from "../../src/storage/state/keyspace.ts";

const part = {
  header: Buffer.from("header"),
  progress: { chunks: 2, records: 9, chain: 7, lastKey: Buffer.from("key") },
};

test("what was received of a snapshot comes back as it was stored", () => {
  assert.deepEqual(unsealPart(sealPart(part)), part);
});

test("a last key that is longer than its record is damage, whatever the checksum says", () => {
  const body = sealPart(part).subarray(0, -4);
  body.writeUInt32BE(body.length, 21);
  assert.throws(() => unsealPart(seal(incomingKey, body)), DamageError);
});

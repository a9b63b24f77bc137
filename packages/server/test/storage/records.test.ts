import assert from "node:assert/strict";
import { test } from "node:test";
import { logIndex, nodeId, term } from "@dkv/raft";
import fc from "fast-check";
import { DamageError } from "../../src/storage/damage.ts";
import { batchIn, markerKey } from "../../src/storage/state/keyspace.ts";
import * as records from "../../src/storage/state/records.ts";
import { configuration } from "./fixtures.ts";

const count = fc.maxSafeNat();
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const flat = { noNullPrototype: true } as const;
test("keys of markers sort as their numbers do, and give them back", () => {
  fc.assert(
    fc.property(count, count, (a, b) => {
      assert.equal(Math.sign(Buffer.compare(markerKey(a), markerKey(b))), Math.sign(a - b));
      assert.equal(batchIn(markerKey(a)), a);
    }),
  );
});

test("records come back as they were stored", () => {
  const owner = fc.record(
    { clusterId: id, memberId: id.map(nodeId), incarnation: id, name: fc.string({ unit: "grapheme" }) },
    flat,
  );
  const base = fc.record(
    {
      last: fc.record({ index: count.map(logIndex), term: count.map(term) }, flat),
      segment: count,
      record: count,
      chain: fc.nat({ max: 0xffff_ffff }),
      configuration: fc.record(
        {
          index: count.map(logIndex),
          configuration: fc.nat({ max: 9 }).map((voters) => configuration(voters)),
        },
        flat,
      ),
    },
    flat,
  );
  const marker = fc.record(
    {
      batch: count,
      oldestKept: count,
      appliedIndex: count.map(logIndex),
      durableRecord: count,
    },
    flat,
  );
  const value = ({ value: bytes }: records.Sealed): Buffer => Buffer.from(bytes);
  fc.assert(
    fc.property(owner, base, marker, (anOwner, aBase, aMarker) => {
      assert.deepEqual(records.unsealIdentity(value(records.sealIdentity(anOwner))), {
        format: 4,
        owner: anOwner,
      });
      assert.deepEqual(records.unsealBase(value(records.sealBase(aBase))), aBase);
      assert.deepEqual(records.unsealMarker(aMarker.batch, value(records.sealMarker(aMarker))), aMarker);
    }),
  );
});

test("a flipped bit, a missing end and another number are damage", () => {
  const sealed = records.sealMarker({
    batch: 7,
    oldestKept: 3,
    appliedIndex: logIndex(9),
    durableRecord: 12,
  });
  const value = Buffer.from(sealed.value);
  for (let bit = 0; bit < value.length * 8; bit += 1) {
    const damaged = Buffer.from(value);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => records.unsealMarker(7, damaged), DamageError);
  }
  for (let length = 0; length < value.length; length += 1) {
    assert.throws(() => records.unsealMarker(7, value.subarray(0, length)), DamageError);
  }
  assert.throws(() => records.unsealMarker(8, value), /marker of batch 8 is wrong/);
});

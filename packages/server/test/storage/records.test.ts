import assert from "node:assert/strict";
import { test } from "node:test";
import { logIndex, nodeId, term, type Entry } from "@dkv/raft";
import fc from "fast-check";
import { DamageError } from "../../src/storage/damage.ts";
import { sealEntries, unsealEntry } from "../../src/storage/entry-codec.ts";
import { entryKey, markerKey, numberIn } from "../../src/storage/keyspace.ts";
import * as records from "../../src/storage/records.ts";

const count = fc.maxSafeNat();
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const flat = { noNullPrototype: true } as const;
const anEntry: fc.Arbitrary<Entry> = fc.record(
  {
    index: count.map(logIndex),
    term: count.map(term),
    kind: fc.constantFrom("empty", "command", "configuration"),
    data: fc.uint8Array({ maxLength: 50 }).map((data) => Buffer.from(data)),
  },
  flat,
);

test("keys sort as their numbers do, and give them back", () => {
  fc.assert(
    fc.property(count, count, (a, b) => {
      assert.equal(Math.sign(Buffer.compare(entryKey(a), entryKey(b))), Math.sign(a - b));
      assert.equal(numberIn(entryKey(a)), a);
      assert.equal(Math.sign(Buffer.compare(markerKey(a), entryKey(b))), -1);
    }),
  );
});

test("entries come back as they were stored", () => {
  fc.assert(
    fc.property(fc.array(anEntry, { maxLength: 5 }), (entries) => {
      const sealed = sealEntries(entries);
      assert.deepEqual(
        sealed.map(({ key, value }) => unsealEntry(numberIn(Buffer.from(key)), Buffer.from(value))),
        entries,
      );
    }),
  );
});

test("the other records come back as they were stored", () => {
  const identity = fc.record({ clusterId: id, memberId: id.map(nodeId) }, flat);
  const hardState = fc.record(
    {
      term: count.map(term),
      votedFor: fc.option(id.map(nodeId), { nil: undefined }),
      commit: count.map(logIndex),
    },
    flat,
  );
  const members = fc.array(
    fc.record({ id: id.map(nodeId), name: fc.string({ unit: "binary" }), peerAddress: fc.string() }, flat),
  );
  const marker = fc.record(
    {
      batch: count,
      oldestKept: count,
      lastIndex: count.map(logIndex),
      appliedIndex: count.map(logIndex),
      hardState,
    },
    flat,
  );
  const value = ({ value: bytes }: records.Sealed): Buffer => Buffer.from(bytes);
  fc.assert(
    fc.property(identity, members, marker, (anIdentity, someMembers, aMarker) => {
      assert.deepEqual(records.unsealIdentity(value(records.sealIdentity(anIdentity))), {
        format: 1,
        identity: anIdentity,
      });
      assert.deepEqual(records.unsealMembers(value(records.sealMembers(someMembers))), someMembers);
      assert.deepEqual(records.unsealMarker(aMarker.batch, value(records.sealMarker(aMarker))), aMarker);
    }),
  );
});

test("a flipped bit, a missing end and another index are damage", () => {
  const [sealed] = sealEntries([
    { index: logIndex(7), term: term(3), kind: "command", data: Buffer.from("data") },
  ]);
  const value = Buffer.from(sealed?.value ?? assert.fail());
  for (let bit = 0; bit < value.length * 8; bit += 1) {
    const damaged = Buffer.from(value);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.throws(() => unsealEntry(7, damaged), DamageError);
  }
  for (let length = 0; length < value.length; length += 1) {
    assert.throws(() => unsealEntry(7, value.subarray(0, length)), DamageError);
  }
  assert.throws(() => unsealEntry(8, value), /log entry 8 is wrong/);
});

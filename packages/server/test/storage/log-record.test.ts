import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { logIndex, nodeId, term, type Entry } from "@dkv/raft";
import fc from "fast-check";
import { DamageError } from "../../src/storage/damage.ts";
import { checksumOf, decodeRecord, encodeRecord, type LogRecord } from "../../src/storage/log/record.ts";
import { entry, hardState } from "./fixtures.ts";

const count = fc.maxSafeNat();
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const chain = fc.nat({ max: 0xffff_ffff });
const flat = { noNullPrototype: true } as const;

const content = fc.record(
  {
    term: count.map(term),
    kind: fc.constantFrom("empty" as const, "command" as const, "configuration" as const),
    data: fc.uint8Array({ maxLength: 50 }).map((data) => Buffer.from(data)),
  },
  flat,
);

const entries: fc.Arbitrary<readonly Entry[]> = fc
  .tuple(fc.nat({ max: 2 ** 40 }), fc.array(content, { maxLength: 5 }))
  .map(([first, contents]) =>
    contents.map((each, position) => ({ ...each, index: logIndex(first + position) })),
  );

const record: fc.Arbitrary<LogRecord> = fc.record(
  {
    number: count,
    savedBatch: count,
    hardState: fc.record(
      {
        term: count.map(term),
        votedFor: fc.option(id.map(nodeId), { nil: undefined }),
        commit: count.map(logIndex),
      },
      flat,
    ),
    entries,
  },
  flat,
);

test("records come back as they were written, one after the other", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 4 }), chain, (records, start) => {
      let [end, before] = [0, start];
      const encoded = records.map((each) => {
        const bytes = encodeRecord(each, { offset: end, chain: before });
        end += bytes.length;
        before = checksumOf(bytes);
        return bytes;
      });
      const bytes = Buffer.concat(encoded);
      let [offset, expected] = [0, start];
      for (const each of records) {
        const decoded = decodeRecord(bytes, offset, expected) ?? assert.fail("there is a record");
        assert.deepEqual(decoded.record, each);
        ({ end: offset, chain: expected } = decoded);
        assert.equal(offset % 16, 0);
      }
      assert.equal(offset, bytes.length);
      assert.equal(decodeRecord(bytes, offset, expected), undefined);
    }),
  );
});

const some: LogRecord = {
  number: 7,
  savedBatch: 3,
  hardState: hardState(2, 1, 5n),
  entries: [entry(9, 2, "data")],
};

test("a record with a flipped bit, without its end, or after another record is none", () => {
  const bytes = encodeRecord(some, { offset: 0, chain: 99 });
  const used = 16 + bytes.readUInt32BE(0);
  for (let bit = 0; bit < used * 8; bit += 1) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(decodeRecord(damaged, 0, 99), undefined, `bit ${String(bit)}`);
  }
  for (let length = 0; length < used; length += 1) {
    assert.equal(decodeRecord(bytes.subarray(0, length), 0, 99), undefined);
  }
  assert.equal(decodeRecord(bytes, 0, 98), undefined);
  assert.ok(decodeRecord(bytes, 0, 99));
});

test("zeroes are no record", () => {
  assert.equal(decodeRecord(Buffer.alloc(1000), 0, 0), undefined);
});

test("a record with something behind its entries is damage, whatever its checksums say", () => {
  const bytes = encodeRecord(some, { offset: 0, chain: 0 });
  const used = 16 + bytes.readUInt32BE(0);
  const longer = Buffer.concat([bytes.subarray(0, used), Buffer.alloc(3)]);
  assert.throws(() => decodeRecord(sealed(longer), 0, 0), DamageError);
});

test("a record of more entries than there are indexes left is damage", () => {
  const last = { ...some, entries: [entry(Number.MAX_SAFE_INTEGER, 1, Buffer.from("last"))] };
  const one = encodeRecord(last, { offset: 0, chain: 0 });
  assert.deepEqual(decodeRecord(one, 0, 0)?.record, last);
  const used = 16 + one.readUInt32BE(0);
  const two = Buffer.concat([one.subarray(0, used), one.subarray(16 + 53, used)]);
  two.writeUInt32BE(2, 16 + 41);
  assert.throws(() => decodeRecord(sealed(two), 0, 0), DamageError);
});

/** With the length and the checksums that the bytes ask for. */
function sealed(record: Buffer): Buffer {
  record.writeUInt32BE(record.length - 16, 0);
  const check = crc32(record.subarray(0, 8), 0);
  record.writeUInt32BE(check, 8);
  record.writeUInt32BE(crc32(record.subarray(16), check), 12);
  return record;
}

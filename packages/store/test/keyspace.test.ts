import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { checkRecord } from "../src/keyspace/check-record.ts";
import { decodeIndex, indexKey, indexRange } from "../src/keyspace/index-record.ts";
import { attachedKeyIn, attachmentKey, attachmentRange, leaseIn } from "../src/keyspace/lease-records.ts";
import { encodePosition, positionKey } from "../src/keyspace/position-record.ts";
import { DamagedRecordError } from "../src/keyspace/record.ts";
import type { StoredRecord } from "../src/storage.ts";
import { alarm, auth, compact, del, grant, set, txn } from "./commands.ts";
import { bytes, hex } from "./disk.ts";
import { Play } from "./play.ts";

const position = { appliedIndex: 7, appliedTerm: 2, revision: 5 };

/** At least one of each kind. */
function someRecords(): readonly StoredRecord[] {
  const play = new Play();
  play.now(grant(5n, 60n));
  play.now(set("a", "value", { lease: 5n }));
  play.now(set("gone\0\xff", "value"));
  play.now(del("gone\0\xff"));
  play.now(txn({ success: [set("passing", "value"), del("passing"), set("passing", ""), del("passing")] }));
  play.now(alarm(3n));
  play.now(compact(2));
  play.now(auth({ case: "addUser", value: { name: "root", passwordHash: bytes("hash") } }));
  play.save();
  return [...play.disk.records].map(([key, record]) => [Buffer.from(key, "hex"), record]);
}

const resealed = (key: Uint8Array, record: Uint8Array): Buffer => {
  const changed = Buffer.from(record);
  changed.writeUInt32BE(crc32(changed.subarray(0, -4), crc32(key)), changed.length - 4);
  return changed;
};

test("a record says what it is for", () => {
  const kinds = someRecords().map(([key, record]) => checkRecord(key, record));
  assert.deepEqual(
    new Set(kinds),
    new Set([
      "position",
      "change",
      "index",
      "lease",
      "attachment",
      "alarms",
      "auth",
      "compaction",
      "current",
    ]),
  );
});

test("a record that was changed, or stands under another key, is damaged", () => {
  for (const [key, record] of someRecords()) {
    for (let offset = 0; offset < record.length; offset += 1) {
      const changed = record.with(offset, (record[offset] ?? 0) ^ 1);
      assert.throws(() => checkRecord(key, changed), DamagedRecordError);
      assert.throws(() => checkRecord(key, record.subarray(0, offset)), DamagedRecordError);
    }
    const last = key.length - 1;
    const other = key.with(last, (key[last] ?? 0) ^ 1);
    assert.throws(() => checkRecord(other, record), DamagedRecordError);
  }
});

test("a key of the wrong length is damage, whatever the checksum says", () => {
  for (const [key, record] of someRecords()) {
    if (key[0] === 0x20 || key[0] === 0x14) continue;
    const longer = Buffer.concat([key, Buffer.alloc(1)]);
    assert.throws(() => checkRecord(longer, resealed(longer, record)), DamagedRecordError, hex(key));
  }
});

test("a record of a kind that is not known is not taken for one that is", () => {
  const [[, record] = assert.fail()] = someRecords();
  for (const prefix of [0x0f, 0x15, 0x1b, 0x21]) {
    const key = Uint8Array.of(prefix, 0x61);
    assert.throws(() => checkRecord(key, resealed(key, record)), /of a kind that this version does not know/);
  }
});

test("a count that nothing has ever written is damage, whatever the checksum says", () => {
  const changed = Buffer.from(encodePosition(position));
  changed.fill(0xff, 1, 9);
  assert.throws(() => checkRecord(positionKey, resealed(positionKey, changed)), DamagedRecordError);
});

test("a record with something behind it is damage, whatever the checksum says", () => {
  for (const [key, record] of someRecords()) {
    const longer = resealed(key, Buffer.concat([record, Buffer.alloc(3)]));
    // Behind the value of a set everything is value; alarms are as many as there is room for.
    const isOpen = key[0] === 0x11 && (record[1] === 1 || record[1] === 3);
    if (!isOpen) assert.throws(() => checkRecord(key, longer), DamagedRecordError, hex(key));
  }
});

test("a record that no store writes is damage, whatever the checksum says", () => {
  const recordOf = (prefix: number): StoredRecord =>
    someRecords().find(([key]) => key[0] === prefix) ?? assert.fail("there is one");
  const [change, record] = recordOf(0x11);
  const [compaction, compacted] = recordOf(0x19);
  const [index, indexed] = recordOf(0x12);
  const wrong: readonly (readonly [Uint8Array, Uint8Array, string])[] = [
    [change, record.with(1, 0), "a change that is neither set nor delete"],
    [change, record.with(1, 5), "a change of a kind that there is not yet"],
    [change, record.with(1, 2), "a delete with a version"],
    [change, record.with(1, 4), "a delete that passes, with a version"],
    [change, record.with(13, 1), "a change behind one of revision 0"],
    [change, record.with(38, 0xff), "a key that is longer than the record"],
    [compaction, compacted.with(9, 2), "history that is neither removed nor not"],
    [index, indexed.with(1, 3), "an index of neither set nor delete"],
  ];
  for (const [key, changed, name] of wrong)
    assert.throws(() => checkRecord(key, resealed(key, changed)), DamagedRecordError, name);
});

const someKey = fc
  .array(fc.constantFrom(0, 1, 0x61, 0xfe, 0xff), { maxLength: 5 })
  .map((key) => String.fromCharCode(...key));
const someRevision = fc.constantFrom(0, 1, 255, 256, 2 ** 32, 2 ** 53 - 1);

test("the index has keys in the order of their bytes, and the revisions of each in theirs", () => {
  fc.assert(
    fc.property(someKey, someKey, someRevision, someRevision, (a, b, one, other) => {
      const found = Buffer.compare(indexKey(a, one), indexKey(b, other));
      const expected = a === b ? Math.sign(one - other) : a < b ? -1 : 1;
      assert.equal(found, expected);
    }),
    { numRuns: 2000 },
  );
});

test("the index of an interval has the keys that are within, and no others", () => {
  fc.assert(
    fc.property(someKey, someKey, someKey, someRevision, (from, before, key, revision) => {
      for (const end of [before, undefined]) {
        const bounds = indexRange({ from, before: end });
        const stored = indexKey(key, revision);
        const isWithin =
          Buffer.compare(stored, bounds.from) >= 0 && Buffer.compare(stored, bounds.before) < 0;
        assert.equal(isWithin, key >= from && (end === undefined || key < end));
      }
    }),
    { numRuns: 2000 },
  );
});

test("an index that is not written as the store writes it is damage", () => {
  const [stored, record] =
    someRecords().find(([key]) => key[0] === 0x12 && key.includes(0xff)) ?? assert.fail("there is one");
  assert.equal(decodeIndex(stored, record).key, "gone\0\xff");
  const bare = Buffer.from(stored);
  bare[bare.indexOf("\0\xff", 0, "latin1") + 1] = 0x61;
  assert.throws(() => decodeIndex(bare, resealed(bare, record)), DamagedRecordError);
});

test("keys of a lease stand together, whatever the bytes of its id", () => {
  const ids = [1n, 2n, 255n, 256n, 2n ** 63n - 1n, -1n, -256n, -(2n ** 63n)];
  const stored = ids.flatMap((id) => ["", "\0", "a", "\xff\xff"].map((key) => attachmentKey(id, key)));
  for (const id of ids) {
    const { from, before } = attachmentRange(id);
    const within = stored.filter((key) => Buffer.compare(key, from) >= 0 && Buffer.compare(key, before) < 0);
    assert.deepEqual(within.map(attachedKeyIn), ["", "\0", "a", "\xff\xff"]);
    assert.ok(within.every((key) => leaseIn(key) === id));
  }
});

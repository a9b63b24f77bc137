import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { DamagedRecordError, encodePosition, positionKey } from "../src/keyspace.ts";
import { checkRecord } from "../src/record.ts";
import { Store } from "../src/store.ts";
import { setBytes } from "./commands.ts";
import { Disk } from "./disk.ts";

const position = { appliedIndex: 7, appliedTerm: 2, revision: 5 };

function recordOfKey(): { readonly key: Uint8Array; readonly value: Uint8Array } {
  const store = new Store(new Disk(), { cacheBytes: 0 });
  store.apply(1, 1, setBytes("a", "value"));
  const [{ key, value } = assert.fail()] = store.takeChanges();
  return { key, value: value ?? assert.fail() };
}

test("a record says what it is for", () => {
  assert.equal(checkRecord(positionKey, encodePosition(position)), "position");
  const { key, value } = recordOfKey();
  assert.equal(checkRecord(key, value), "key");
});

test("a record that was changed, or stands under another key, is damaged", () => {
  const { key, value } = recordOfKey();
  for (let offset = 0; offset < value.length; offset += 1) {
    const changed = Uint8Array.from(value);
    changed[offset] = (changed[offset] ?? 0) ^ 1;
    assert.throws(() => checkRecord(key, changed), DamagedRecordError);
    assert.throws(() => checkRecord(key, value.subarray(0, offset)), DamagedRecordError);
  }
  assert.throws(() => checkRecord(Uint8Array.of(0x20, 0x62), value), DamagedRecordError);
});

test("a record of a kind that is not known is not taken for one that is", () => {
  const { value } = recordOfKey();
  const key = Uint8Array.of(0x11, 0x61);
  const moved = Buffer.from(value);
  moved.writeUInt32BE(crc32(moved.subarray(0, -4), crc32(key)), moved.length - 4);
  assert.throws(() => checkRecord(key, moved), /of a kind that this version does not know/);
});

test("a count that nothing has ever written is damage, whatever the checksum says", () => {
  const changed = Buffer.from(encodePosition(position));
  changed.fill(0xff, 1, 9);
  changed.writeUInt32BE(crc32(changed.subarray(0, -4), crc32(positionKey)), changed.length - 4);
  assert.throws(() => checkRecord(positionKey, changed), DamagedRecordError);
});

test("a position with something behind it is damage, whatever the checksum says", () => {
  const longer = Buffer.concat([encodePosition(position), Buffer.alloc(3)]);
  longer.writeUInt32BE(crc32(longer.subarray(0, -4), crc32(positionKey)), longer.length - 4);
  assert.throws(() => checkRecord(positionKey, longer), DamagedRecordError);
});

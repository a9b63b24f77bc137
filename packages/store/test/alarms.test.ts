import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import { decodeAlarms, encodeAlarms } from "../src/alarms.ts";
import { alarmsKey, DamagedRecordError, sealRecord } from "../src/keyspace.ts";
import { checkRecord } from "../src/record.ts";
import { Store } from "../src/store.ts";
import { alarmBytes, checkBytes, setBytes } from "./commands.ts";
import { bytes, Disk, hex } from "./disk.ts";

const options = { cacheBytes: 10_000 };
const about = (memberId: bigint) => ({ clusterId: 1n, memberId, kind: AlarmKind.CORRUPT });

function persist(store: Store, disk: Disk): void {
  disk.write(store.takeChanges());
  store.persisted();
}

test("a check changes nothing but the applied index, and tells which that is", () => {
  const store = new Store(new Disk(), options);
  store.apply(1, 1, setBytes("a", "1"));
  const before = store.get(bytes("a"));
  assert.deepEqual(store.apply(2, 1, checkBytes()).result, { kind: "check", index: 2, revision: 2 });
  assert.deepEqual(store.get(bytes("a")), before);
  assert.deepEqual([store.appliedIndex, store.revision], [2, 2]);
});

test("an alarm is raised once, lifted once, and makes no revision", () => {
  const store = new Store(new Disk(), options);
  assert.deepEqual(store.apply(1, 1, alarmBytes(7n)).result, { kind: "alarm", revision: 1 });
  store.apply(2, 1, alarmBytes(7n));
  assert.deepEqual(store.alarms, [about(7n)]);
  store.apply(3, 1, alarmBytes(8n, true));
  assert.deepEqual(store.alarms, [about(7n)]);
  store.apply(4, 1, alarmBytes(7n, true));
  assert.deepEqual(store.alarms, []);
  assert.equal(store.revision, 1);
});

test("alarms are durable with the position that covers them, also when they are lifted", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, alarmBytes(2n ** 64n - 1n));
  store.apply(2, 1, alarmBytes(3n));
  assert.deepEqual(new Store(disk, options).alarms, []);
  persist(store, disk);
  const reopened = new Store(disk, options);
  assert.deepEqual(reopened.alarms, [about(3n), about(2n ** 64n - 1n)]);
  reopened.apply(3, 1, alarmBytes(3n, true));
  reopened.apply(4, 1, alarmBytes(2n ** 64n - 1n, true));
  persist(reopened, disk);
  assert.deepEqual(new Store(disk, options).alarms, []);
  assert.equal(disk.records.has(hex(alarmsKey)), false);
});

test("what replaces the state as a whole replaces the alarms", () => {
  const disk = new Disk();
  const other = new Store(disk, options);
  other.apply(1, 1, alarmBytes(3n));
  const store = new Store(disk, options);
  persist(other, disk);
  store.restored();
  assert.deepEqual(store.alarms, [about(3n)]);
  store.apply(2, 1, setBytes("a", "1"));
  assert.equal(store.takeChanges().length, 2, "alarms that did not change are not written");
});

test("the order in which alarms were raised does not show in their record", () => {
  const someAlarms = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), {
    minLength: 1,
    maxLength: 9,
  });
  fc.assert(
    fc.property(someAlarms, (ids) => {
      const records = [ids, ids.toReversed()].map((order) => {
        const store = new Store(new Disk(), options);
        for (const [position, id] of order.entries()) store.apply(position + 1, 1, alarmBytes(id));
        return encodeAlarms(store.alarms) ?? assert.fail();
      });
      assert.deepEqual(records[0], records[1]);
      assert.equal(decodeAlarms(records[0] ?? assert.fail()).length, ids.length);
    }),
  );
});

test("a damaged record of alarms is found when the store is opened, and in a backup", () => {
  const disk = new Disk();
  const store = new Store(disk, options);
  store.apply(1, 1, alarmBytes(3n));
  persist(store, disk);
  const record = disk.records.get(hex(alarmsKey)) ?? assert.fail();
  assert.equal(checkRecord(alarmsKey, record), "alarms");
  for (let offset = 0; offset < record.length; offset += 1) {
    disk.records.set(hex(alarmsKey), record.with(offset, (record[offset] ?? 0) ^ 1));
    assert.throws(() => new Store(disk, options), DamagedRecordError);
    disk.records.set(hex(alarmsKey), record.subarray(0, offset));
    assert.throws(() => new Store(disk, options), DamagedRecordError);
  }
  for (const length of [0, 16, 18])
    assert.throws(
      () => checkRecord(alarmsKey, sealRecord(alarmsKey, new Uint8Array(length))),
      DamagedRecordError,
    );
});

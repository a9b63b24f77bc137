import assert from "node:assert/strict";
import { test } from "node:test";
import { AlarmKind } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import { alarmsKey, decodeAlarms, encodeAlarms } from "../src/alarms.ts";
import { checkRecord } from "../src/keyspace/check-record.ts";
import { DamagedRecordError, sealRecord } from "../src/keyspace/record.ts";
import { alarm, check, set } from "./commands.ts";
import { bytes, hex } from "./disk.ts";
import { Play } from "./play.ts";

const about = (memberId: bigint) => ({ clusterId: 1n, memberId, kind: AlarmKind.CORRUPT });

test("a check changes nothing but the applied index, and tells which that is", () => {
  const play = new Play();
  play.now(set("a", "1"));
  const before = play.store.get(bytes("a"));
  assert.deepEqual(play.now(check), { kind: "check", index: 2, revision: 2 });
  assert.deepEqual(play.store.get(bytes("a")), before);
  assert.deepEqual([play.store.appliedIndex, play.store.revision], [2, 2]);
});

test("an alarm is raised once, lifted once, and makes no revision", () => {
  const play = new Play();
  assert.deepEqual(play.now(alarm(7n)), { kind: "alarm", revision: 1 });
  play.now(alarm(7n));
  assert.deepEqual(play.store.alarms, [about(7n)]);
  play.now(alarm(8n, true));
  assert.deepEqual(play.store.alarms, [about(7n)]);
  play.now(alarm(7n, true));
  assert.deepEqual(play.store.alarms, []);
  assert.equal(play.store.revision, 1);
});

test("alarms are durable with the position that covers them, also when they are lifted", () => {
  const play = new Play();
  play.now(alarm(2n ** 64n - 1n));
  play.now(alarm(3n));
  assert.deepEqual(new Play(play.disk).store.alarms, []);
  play.save();
  play.reopen();
  assert.deepEqual(play.store.alarms, [about(3n), about(2n ** 64n - 1n)]);
  play.now(alarm(3n, true));
  play.now(alarm(2n ** 64n - 1n, true));
  play.save();
  play.reopen();
  assert.deepEqual(play.store.alarms, []);
  assert.equal(play.disk.records.has(hex(alarmsKey)), false);
});

test("what replaces the state as a whole replaces the alarms", () => {
  const play = new Play();
  const other = new Play(play.disk);
  other.now(alarm(3n));
  other.save();
  play.store.restored();
  assert.deepEqual(play.store.alarms, [about(3n)]);
  play.now(set("a", "1"));
  const written = play.store.takeChanges().map(({ key }) => key[0]);
  assert.ok(!written.includes(alarmsKey[0]), "alarms that did not change are not written");
});

test("the order in which alarms were raised does not show in their record", () => {
  const someAlarms = fc.uniqueArray(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), {
    minLength: 1,
    maxLength: 9,
  });
  fc.assert(
    fc.property(someAlarms, (ids) => {
      const records = [ids, ids.toReversed()].map((order) => {
        const play = new Play();
        for (const id of order) play.now(alarm(id));
        return encodeAlarms(play.store.alarms) ?? assert.fail();
      });
      assert.deepEqual(records[0], records[1]);
      assert.equal(decodeAlarms(records[0] ?? assert.fail()).length, ids.length);
    }),
  );
});

test("a damaged record of alarms is found when the store is opened, and in a backup", () => {
  const play = new Play();
  const { disk } = play;
  play.now(alarm(3n));
  play.save();
  const record = disk.records.get(hex(alarmsKey)) ?? assert.fail();
  assert.equal(checkRecord(alarmsKey, record), "alarms");
  for (let offset = 0; offset < record.length; offset += 1) {
    disk.records.set(hex(alarmsKey), record.with(offset, (record[offset] ?? 0) ^ 1));
    assert.throws(() => new Play(disk), DamagedRecordError);
    disk.records.set(hex(alarmsKey), record.subarray(0, offset));
    assert.throws(() => new Play(disk), DamagedRecordError);
  }
  for (const length of [0, 16, 18])
    assert.throws(
      () => checkRecord(alarmsKey, sealRecord(alarmsKey, new Uint8Array(length))),
      DamagedRecordError,
    );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { AuthRecordSchema } from "@dkv/protocol/dkv/peer/v1/auth";
import fc from "fast-check";
import { authKey, decodeAuth, encodeAuth } from "../../src/auth/auth-record.ts";
import { checkRecord } from "../../src/keyspace/check-record.ts";
import { DamagedRecordError, sealRecord } from "../../src/keyspace/record.ts";
import { set } from "../commands.ts";
import { hex } from "../disk.ts";
import { addRole, addUser, enable, grantPermission, grantRole, Realm } from "./realm.ts";
import { someAuth } from "./sketches.ts";

test("what is stored is what is read", () => {
  fc.assert(
    fc.property(someAuth, (auth) => {
      const record = encodeAuth(auth);
      assert.equal(checkRecord(authKey, record), "auth");
      const read = decodeAuth(record);
      assert.deepEqual(encodeAuth(read), record);
      assert.deepEqual([...read.users], [...auth.users]);
      assert.deepEqual([...read.roles], [...auth.roles]);
    }),
  );
});

test("rules are durable with the position that covers them, and of force when the store is opened", async () => {
  const realm = new Realm();
  realm.establish(["write", "a"]);
  assert.equal(new Realm(realm.disk).store.auth.isEnabled, false);
  realm.save();
  const { auth } = realm.store;
  realm.reopen();
  assert.deepEqual(encodeAuth(realm.store.auth), encodeAuth(auth));
  assert.equal(await realm.as("one", set("b", "1")), "permissionDenied");
  assert.equal(realm.now(set("a", "1")).kind, "refused");
  assert.equal(await realm.as("one", set("a", "1")), "done");
});

test("what replaces the state as a whole replaces the rules", async () => {
  const realm = new Realm();
  const other = new Realm(realm.disk);
  other.establish(["write", "a"]);
  other.save();
  realm.store.restored();
  assert.equal(realm.store.auth.isEnabled, true);
  assert.equal(await realm.as("one", set("b", "1")), "permissionDenied");
  assert.equal(await realm.as("one", set("a", "1")), "done");
  const written = realm.store.takeChanges().map(({ key }) => key[0]);
  assert.ok(!written.includes(authKey[0]), "rules that did not change are not written");
});

test("the order of changes does not show in the record", () => {
  const [one, other] = [new Realm(), new Realm()];
  const roles = ["x", "y"];
  for (const [realm, list] of [
    [one, roles],
    [other, roles.toReversed()],
  ] as const) {
    realm.changes(...list.map(addRole), ...list.map(addUser));
    for (const role of list) realm.changes(...list.map((user) => grantRole(user, role)));
    realm.changes(...list.map((key) => grantPermission("x", ["read", key])));
  }
  assert.deepEqual(encodeAuth(one.store.auth), encodeAuth(other.store.auth));
});

test("a damaged record of rules is found when the store is opened: it does not open without them", () => {
  const realm = new Realm();
  realm.establish(["read", "a"]);
  realm.save();
  const { disk } = realm;
  const record = disk.records.get(hex(authKey)) ?? assert.fail();
  for (let offset = 0; offset < record.length; offset += 1) {
    disk.records.set(hex(authKey), record.with(offset, (record[offset] ?? 0) ^ 1));
    assert.throws(() => new Realm(disk), DamagedRecordError);
    disk.records.set(hex(authKey), record.subarray(0, offset));
    assert.throws(() => new Realm(disk), DamagedRecordError);
  }
});

test("rules that no change leaves are damage, whatever the checksum says", () => {
  const sealed = (
    init: Parameters<typeof create<typeof AuthRecordSchema>>[1],
    behind: readonly number[] = [],
  ) =>
    sealRecord(
      authKey,
      Buffer.concat([toBinary(AuthRecordSchema, create(AuthRecordSchema, init)), Uint8Array.from(behind)]),
    );
  const revision = 3n;
  const a = Uint8Array.of(97);
  assert.equal(decodeAuth(sealed({ revision, users: [{ name: "a" }, { name: "b" }] })).users.size, 2);
  const read = { kind: 1, key: a } as const;
  const wrong = [
    sealed({ revision, users: [{ name: "b" }, { name: "a" }] }),
    sealed({ revision, users: [{ name: "a" }, { name: "a" }] }),
    sealed({ revision, roles: [{ name: "b" }, { name: "a" }] }),
    sealed({ revision, users: [{ name: "a", roles: ["y", "x"] }] }),
    sealed({ revision, roles: [{ name: "a", permissions: [read, { ...read, kind: 2 }] }] }),
    sealed({ revision, roles: [{ name: "a", permissions: [{ key: a }] }] }),
    sealed({ revision, roles: [{ name: "a", permissions: [{ kind: 4 as 3, key: a }] }] }),
    // A field that only a newer version knows, and what is no message.
    sealed({ revision }, [15 << 3, 1]),
    sealed({ revision }, [0xff]),
  ];
  for (const record of wrong) assert.throws(() => decodeAuth(record), DamagedRecordError);
});

test("rules make no difference to a store that never had any", () => {
  const realm = new Realm();
  realm.now(set("a", "1"));
  realm.save();
  assert.equal(realm.disk.records.has(hex(authKey)), false);
  assert.equal(realm.change(enable), "rootUserMissing");
  assert.equal(
    realm.store.takeChanges().some(({ key }) => key[0] === authKey[0]),
    false,
  );
});

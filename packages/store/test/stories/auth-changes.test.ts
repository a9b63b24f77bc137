/** How users, roles and permissions come and go. Texts and reasons of etcd's are those of the doors. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import { toByteString } from "../../src/bytes.ts";
import { mostAuthBytes } from "../../src/auth/auth-record.ts";
import type { AuthChange } from "../commands.ts";
import { set } from "../commands.ts";
import { bytes } from "../disk.ts";
import {
  addRole,
  addUser,
  disable,
  enable,
  grantPermission,
  grantRole,
  Realm,
  revokePermission,
} from "../auth/realm.ts";

const deleteUser = (name: string): AuthChange => ({ case: "deleteUser", value: { name } });
const deleteRole = (name: string): AuthChange => ({ case: "deleteRole", value: { name } });
const revokeRole = (user: string, role: string): AuthChange => ({
  case: "revokeRole",
  value: { user, role },
});
const changePassword = (name: string, hash: string): AuthChange => ({
  case: "changePassword",
  value: { name, passwordHash: bytes(hash) },
});

const rolesOf = (realm: Realm, user: string): readonly string[] | undefined =>
  realm.store.auth.users.get(user)?.roles;

const permissionsOf = (realm: Realm, role: string): readonly string[] | undefined =>
  realm.store.auth.roles
    .get(role)
    ?.permissions.map(
      ({ kind, key, rangeEnd }) => `${String(kind)} ${toByteString(key)}‥${toByteString(rangeEnd)}`,
    );

test("an empty store has no rules, at revision 1", () => {
  const { auth } = new Realm().store;
  assert.deepEqual([auth.isEnabled, auth.revision, auth.users.size, auth.roles.size], [false, 1n, 0, 0]);
});

describe("enabling", () => {
  test("needs the user root with the role root, and leaves the revision as it is", () => {
    const realm = new Realm();
    assert.equal(realm.change(enable), "rootUserMissing");
    realm.changes(addUser("root"));
    assert.equal(realm.change(enable), "rootRoleMissing");
    assert.equal(realm.store.auth.isEnabled, false);
    realm.changes(grantRole("root", "root"));
    assert.equal(realm.store.auth.revision, 3n);
    realm.changes(enable);
    assert.deepEqual([realm.store.auth.isEnabled, realm.store.auth.revision], [true, 3n]);
  });

  test("again changes nothing, and neither does disabling what is not enabled", () => {
    const realm = new Realm();
    realm.changes(disable);
    assert.equal(realm.store.auth.revision, 1n);
    realm.establish();
    const before = realm.store.auth;
    realm.changes(enable);
    assert.equal(realm.store.auth, before);
    realm.changes(disable);
    assert.equal(realm.store.auth.revision, before.revision + 1n);
  });

  test("rules make no revision of the keys", () => {
    const realm = new Realm();
    realm.establish();
    assert.equal(realm.store.revision, 1);
  });
});

describe("a user", () => {
  test("is added once, and needs a name", () => {
    const realm = new Realm();
    assert.equal(realm.change(addUser("")), "userEmpty");
    realm.changes(addUser("one"));
    assert.equal(realm.change(addUser("one")), "userExists");
    assert.equal(realm.store.auth.revision, 2n, "what is refused changes nothing");
  });

  test("has the password that it was given last, and without one none", () => {
    const realm = new Realm();
    const hash = (): string => toByteString(realm.store.auth.users.get("one")?.passwordHash ?? bytes("?"));
    assert.equal(realm.change(changePassword("one", "x")), "userNotFound");
    realm.changes(addUser("one"));
    assert.equal(hash(), "hash of one");
    realm.changes(changePassword("one", "other"));
    assert.equal(hash(), "other");
    realm.changes(deleteUser("one"), {
      case: "addUser",
      value: { name: "one", noPassword: true, passwordHash: bytes("nobody knows it") },
    });
    assert.equal(hash(), "");
    realm.changes(changePassword("one", "other"));
    assert.equal(hash(), "");
    assert.equal(realm.store.auth.users.get("one")?.noPassword, true);
  });

  test("has roles in the order of their names, each once", () => {
    const realm = new Realm();
    assert.equal(realm.change(grantRole("one", "some")), "userNotFound");
    realm.changes(addUser("one"));
    assert.equal(realm.change(grantRole("one", "some")), "roleNotFound");
    realm.changes(addRole("some"), addRole("any"), grantRole("one", "some"), grantRole("one", "any"));
    assert.deepEqual(rolesOf(realm, "one"), ["any", "some"]);
    const before = realm.store.auth;
    realm.changes(grantRole("one", "some"));
    assert.equal(realm.store.auth, before);
    realm.changes(revokeRole("one", "some"));
    assert.deepEqual(rolesOf(realm, "one"), ["any"]);
    assert.equal(realm.change(revokeRole("one", "some")), "roleNotGranted");
    assert.equal(realm.change(revokeRole("two", "some")), "userNotFound");
  });

  test("is gone once it is deleted, and comes back without what it had", () => {
    const realm = new Realm();
    realm.establish();
    realm.changes(deleteUser("one"));
    assert.equal(realm.change(deleteUser("one")), "userNotFound");
    realm.changes(addUser("one"));
    assert.deepEqual(rolesOf(realm, "one"), []);
  });

  test("called root stays, with the role root, as long as rules are of force", () => {
    const realm = new Realm();
    realm.establish();
    realm.changes(addRole("root"));
    for (const change of [deleteUser("root"), revokeRole("root", "root"), deleteRole("root")])
      assert.equal(realm.change(change), "invalidAuthManagement", change.case);
    assert.deepEqual(rolesOf(realm, "root"), ["root"]);
    realm.changes(disable, deleteRole("root"));
    assert.deepEqual(rolesOf(realm, "root"), []);
    realm.changes(grantRole("root", "root"), revokeRole("root", "root"), deleteUser("root"));
  });
});

describe("a role", () => {
  test("is added once, and needs a name", () => {
    const realm = new Realm();
    assert.equal(realm.change(addRole("")), "roleEmpty");
    realm.changes(addRole("some"));
    assert.equal(realm.change(addRole("some")), "roleExists");
  });

  test("is lost by all who have it when it is deleted", () => {
    const realm = new Realm();
    realm.establish();
    realm.changes(deleteRole("some"));
    assert.equal(realm.change(deleteRole("some")), "roleNotFound");
    realm.changes(addRole("some"));
    assert.deepEqual(rolesOf(realm, "one"), []);
    assert.deepEqual(permissionsOf(realm, "some"), []);
  });

  test("has one permission for each interval, in the order of their keys", () => {
    const realm = new Realm();
    assert.equal(realm.change(grantPermission("some", ["read", "a"])), "roleNotFound");
    realm.changes(addRole("some"));
    realm.changes(
      grantPermission("some", ["read", "b"]),
      grantPermission("some", ["read", "a", "c"]),
      grantPermission("some", ["read", "a"]),
      grantPermission("some", ["readwrite", "a", "c"]),
    );
    assert.deepEqual(permissionsOf(realm, "some"), ["1 a‥", "3 a‥c", "1 b‥"]);
    assert.equal(realm.change(revokePermission("some", "a", "b")), "permissionNotGranted");
    assert.equal(realm.change(revokePermission("other", "a")), "roleNotFound");
    realm.changes(revokePermission("some", "a"));
    assert.deepEqual(permissionsOf(realm, "some"), ["3 a‥c", "1 b‥"]);
  });

  test("is permitted no interval that there cannot be, and to do nothing that is nothing", () => {
    const realm = new Realm();
    realm.changes(addRole("some"));
    for (const [key, rangeEnd] of [
      ["", ""],
      ["", "b"],
      ["", "\0"],
      ["b", "a"],
      ["b", "b"],
    ] as const)
      assert.equal(realm.change(grantPermission("some", ["read", key, rangeEnd])), "invalidAuthManagement");
    realm.changes(grantPermission("some", ["read", "b", "\0"]));
    for (const kind of [0, 4] as PermissionKind[])
      assert.equal(
        realm.change({ case: "grantPermission", value: { role: "some", kind, key: bytes("a") } }),
        "permissionNotGiven",
      );
    assert.deepEqual(permissionsOf(realm, "some"), ["1 b‥\0"]);
  });
});

test("users and roles are refused that together take too much room, and what is there stays", async () => {
  const realm = new Realm();
  realm.establish(["readwrite", "a"]);
  const large = (name: string, size: number): AuthChange => ({
    case: "addUser",
    value: { name, passwordHash: new Uint8Array(size) },
  });
  assert.equal(realm.change(large("two", mostAuthBytes)), "authTooLarge");
  assert.equal(realm.store.auth.users.has("two"), false);
  realm.changes(large("two", mostAuthBytes - 1000));
  assert.equal(realm.change(large("three", 1000)), "authTooLarge");
  assert.equal(await realm.as("one", set("a", "1")), "done");
  realm.save();
  realm.reopen();
  realm.changes(deleteUser("two"));
});

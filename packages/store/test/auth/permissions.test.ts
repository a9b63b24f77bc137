import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authRefusal, isRoot, permits } from "../../src/auth/permissions.ts";
import { behindPrefix, intervalOf, onlyKey } from "../../src/read/interval.ts";
import { bytes } from "../disk.ts";
import { addRole, disable, enable, type Granted, grantPermission, grantRole, Realm } from "./realm.ts";

const kind = { read: "read", write: "write" } as const;

function allowed(granted: readonly Granted[], what: "read" | "write", key: string, rangeEnd = ""): boolean {
  const realm = new Realm();
  realm.establish(...granted);
  const interval = intervalOf(bytes(key), bytes(rangeEnd));
  return permits(realm.store.auth, "one", { kind: what, interval });
}

test("one key is permitted, and none beside it", () => {
  const granted: readonly Granted[] = [["read", "b"]];
  assert.equal(allowed(granted, "read", "b"), true);
  assert.equal(allowed(granted, "read", "b", "b\0"), true);
  for (const [key, rangeEnd] of [["a"], ["b\0"], ["ba"], ["b", "b\0\0"], ["a", "b"], ["a", "c"]] as const)
    assert.equal(allowed(granted, "read", key, rangeEnd), false, `${key} ${String(rangeEnd)}`);
});

test("to read is not to write, and readwrite is both", () => {
  assert.equal(allowed([["read", "a", "c"]], "write", "a"), false);
  assert.equal(allowed([["write", "a", "c"]], "read", "a"), false);
  for (const what of [kind.read, kind.write])
    assert.equal(allowed([["readwrite", "a", "c"]], what, "b"), true);
});

test("an interval ends before its end, or not at all", () => {
  assert.equal(allowed([["read", "a", "c"]], "read", "c"), false);
  assert.equal(allowed([["read", "a", "c"]], "read", "b", "\0"), false);
  assert.equal(allowed([["read", "b", "\0"]], "read", "c", "\0"), true);
  assert.equal(allowed([["read", "b", "\0"]], "read", "a", "\0"), false);
  const end = behindPrefix("key/") ?? "";
  assert.equal(allowed([["read", "key/", end]], "read", "key/\xff\xff"), true);
  assert.equal(allowed([["read", "key/", end]], "read", "key0"), false);
});

test("several permissions are one where they overlap or touch, and not across a gap", () => {
  const granted: readonly Granted[] = [
    ["read", "c", "e"],
    ["readwrite", "a", "c"],
    ["read", "d", "f"],
    ["write", "f", "g"],
    ["read", "g", "\0"],
  ];
  assert.equal(allowed(granted, "read", "a", "f"), true);
  assert.equal(allowed(granted, "read", "a", "h"), false);
  assert.equal(allowed(granted, "read", "f"), false);
  assert.equal(allowed(granted, "write", "a", "c"), true);
  assert.equal(allowed(granted, "write", "a", "d"), false);
  assert.equal(
    allowed(
      [
        ["read", "a", "z"],
        ["read", "b", "c"],
      ],
      "read",
      "a",
      "y",
    ),
    true,
  );
});

test("permissions of all roles of a user count together", () => {
  const realm = new Realm();
  realm.establish(["read", "a", "b"]);
  const need = { kind: kind.read, interval: intervalOf(bytes("a"), bytes("c")) };
  realm.changes(addRole("other"), grantPermission("other", ["read", "b", "c"]));
  assert.equal(permits(realm.store.auth, "one", need), false);
  realm.changes(grantRole("one", "other"));
  assert.equal(permits(realm.store.auth, "one", need), true);
});

test("all keys may be asked for from the empty key on, which nobody has, and is nobody's", () => {
  const all: readonly Granted[] = [["readwrite", "\0", "\0"]];
  assert.equal(allowed(all, "read", "", "\0"), true);
  assert.equal(allowed([["read", "\0", "b"]], "read", "", "b"), true);
  assert.equal(allowed([["read", "a", "b"]], "read", "", "b"), false);
  assert.equal(allowed(all, "write", ""), false);
});

test("an interval without keys is permitted where its beginning is", () => {
  assert.equal(allowed([["read", "a", "c"]], "read", "b", "a"), true);
  assert.equal(allowed([["read", "a", "c"]], "read", "d", "b"), false);
});

test("root is who has the role root, whatever the name", () => {
  const realm = new Realm();
  realm.establish();
  const need = { kind: kind.write, interval: onlyKey("a") };
  assert.equal(isRoot(realm.store.auth, "one"), false);
  assert.equal(permits(realm.store.auth, "one", need), false);
  realm.changes(grantRole("one", "root"));
  assert.equal(isRoot(realm.store.auth, "one"), true);
  assert.equal(permits(realm.store.auth, "one", need), true);
  assert.equal(isRoot(realm.store.auth, "nobody"), false);
});

test("a refusal says why, and nobody is refused while rules are not of force", () => {
  const realm = new Realm();
  realm.establish(["read", "a"]);
  const { auth } = realm.store;
  const reading = [{ kind: kind.read, interval: onlyKey("a") }];
  const one = realm.caller("one");
  assert.equal(authRefusal(auth, undefined, reading), "userEmpty");
  assert.equal(authRefusal(auth, { ...one, user: "" }, reading), "userEmpty");
  for (const more of [-1n, 1n])
    assert.equal(
      authRefusal(auth, { ...one, authRevision: one.authRevision + more }, reading),
      "authRevisionOld",
    );
  assert.equal(authRefusal(auth, realm.caller("nobody"), []), "permissionDenied");
  assert.equal(authRefusal(auth, one, reading), undefined);
  assert.equal(
    authRefusal(auth, one, [...reading, { kind: kind.write, interval: onlyKey("a") }]),
    "permissionDenied",
  );
  assert.equal(authRefusal(auth, one, "root"), "permissionDenied");
  assert.equal(authRefusal(auth, realm.caller("root"), "root"), undefined);
  realm.changes(disable);
  assert.equal(authRefusal(realm.store.auth, undefined, "root"), undefined);
  realm.changes(enable);
  assert.equal(authRefusal(realm.store.auth, undefined, []), "userEmpty");
});

test("an interval is permitted if and only if each of its keys is, by some permission", () => {
  // Of all keys that have one byte, and it is one of these.
  const keys = "abcdefgh";
  const someStretch = fc
    .tuple(fc.nat(keys.length - 1), fc.nat(keys.length - 1))
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other) + 1] as const);
  const nameOf = (at: number): string => String.fromCharCode(97 + at);
  fc.assert(
    fc.property(fc.array(someStretch, { maxLength: 5 }), someStretch, (granted, [from, before]) => {
      const within = keys.slice(from, before).split("");
      const isPermitted = (key: string): boolean =>
        granted.some(([first, last]) => keys.slice(first, last).includes(key));
      assert.equal(
        allowed(
          granted.map(([first, last]) => ["read", nameOf(first), nameOf(last)]),
          "read",
          nameOf(from),
          nameOf(before),
        ),
        within.every(isPermitted),
      );
    }),
    { numRuns: 500 },
  );
});

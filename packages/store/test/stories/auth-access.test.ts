/** What callers have to be permitted, for a command to be done. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CompareRelation } from "@dkv/protocol/dkv/peer/v1/command";
import type { LoggedOperation } from "../../src/operation.ts";
import { disable, enable, type Granted, grantPermission, Realm, revokePermission } from "../auth/realm.ts";
import {
  alarm,
  auth,
  check,
  checkpoint,
  compact,
  compare,
  del,
  expire,
  grant,
  range,
  removeHistory,
  revoke,
  set,
  setIf,
  txn,
} from "../commands.ts";

const isThere = (key: string, rangeEnd = "") =>
  compare(key, CompareRelation.GREATER, { case: "version", value: 0n }, rangeEnd);

const realmWith = (...granted: readonly Granted[]): Realm => {
  const realm = new Realm();
  realm.establish(...granted);
  return realm;
};

describe("while rules are of force", () => {
  test("who is not named does nothing, and neither does who is nobody", async () => {
    const realm = realmWith();
    for (const operation of [set("a", "1"), grant(1n, 9n), auth(disable)]) {
      assert.deepEqual(realm.now(operation), { kind: "refused", revision: 1, reason: "userEmpty" });
      assert.equal(realm.now(operation, { ...realm.caller(""), user: "" }).kind, "refused");
      assert.equal(await realm.as("nobody", operation), "permissionDenied");
    }
    assert.equal(realm.store.auth.isEnabled, true);
  });

  test("who was looked at before the last change of the rules is looked at again, root as well", async () => {
    const realm = realmWith(["readwrite", "a"]);
    const [root, one] = [realm.caller("root"), realm.caller("one")];
    assert.equal(realm.now(set("a", "1"), one).kind, "set");
    realm.changes(grantPermission("some", ["read", "b"]));
    for (const caller of [root, one])
      assert.deepEqual(realm.now(set("a", "2"), caller), {
        kind: "refused",
        revision: 2,
        reason: "authRevisionOld",
      });
    assert.equal(realm.now(set("a", "2"), { user: "one", authRevision: 99n }).kind, "refused");
    assert.equal(await realm.as("one", set("a", "2")), "done");
  });

  test("root may do everything", async () => {
    const realm = realmWith();
    for (const operation of [
      set("a", "1", { wantPrevious: true }),
      del("\0", "\0", true),
      txn({ compares: [isThere("a", "\0")], failure: [range("\0", "\0")] }),
      grant(1n, 9n),
      set("b", "1", { lease: 1n }),
      revoke(1n),
      compact(3),
      auth(disable),
    ])
      assert.equal(await realm.as("root", operation), "done", operation.case);
  });

  test("what members ask for of their own accord is done", async () => {
    const realm = realmWith();
    assert.equal(await realm.as("root", grant(1n, 9n)), "done");
    assert.equal(await realm.as("root", set("a", "1", { lease: 1n })), "done");
    const operations: readonly LoggedOperation[] = [
      checkpoint(1n, 5n),
      check,
      alarm(1n),
      expire([1n], realm.term),
      compact(3),
      removeHistory,
    ];
    for (const operation of operations) {
      assert.equal((await realm.do(operation)).kind, "refused", operation.case);
      assert.equal(await realm.as("one", operation), "permissionDenied", operation.case);
    }
    for (const operation of operations)
      assert.notEqual((await realm.do(operation, "member")).kind, "refused", operation.case);
    assert.equal(realm.value("a"), undefined);
  });

  test("history is given up, and rules are changed, by root alone", async () => {
    const realm = realmWith(["readwrite", "\0", "\0"]);
    assert.equal(await realm.as("one", set("a", "1")), "done");
    assert.equal(await realm.as("one", compact(2)), "permissionDenied");
    for (const change of [disable, enable, grantPermission("some", ["read", "b"])])
      assert.equal(await realm.as("one", auth(change)), "permissionDenied");
  });
});

test("while rules are not of force, nobody is asked who it is", async () => {
  const realm = realmWith();
  realm.changes(disable);
  assert.equal(realm.now(set("a", "1")).kind, "set");
  assert.equal(await realm.as("nobody", set("a", "1")), "done");
  assert.equal(realm.now(auth(enable)).kind, "auth");
  assert.equal(realm.now(set("a", "1")).kind, "refused");
});

test("what is refused changes nothing, and reads nothing from the disk", async () => {
  const realm = realmWith(["write", "a"]);
  assert.equal(await realm.as("root", set("b", "1")), "done");
  const { revision } = realm.store;
  realm.save();
  const { reads } = realm.disk;
  assert.equal(realm.now(del("a", "z"), realm.caller("one")).kind, "refused");
  assert.equal(
    realm.now(txn({ success: [set("a", "1"), del("a", "z")] }), realm.caller("one")).kind,
    "refused",
  );
  assert.equal(realm.disk.reads, reads);
  assert.equal(realm.store.revision, revision);
});

/** Tells which permissions each operation needs: with all of them it is done, without any one refused. */
interface Row {
  readonly name: string;
  readonly operation: LoggedOperation;
  readonly needs: readonly Granted[];
}

const rows: readonly Row[] = [
  { name: "a set", operation: set("a", "1"), needs: [["write", "a"]] },
  {
    name: "a set that tells what was before",
    operation: set("a", "1", { wantPrevious: true }),
    needs: [
      ["write", "a"],
      ["read", "a", "a\0"],
    ],
  },
  {
    name: "a set on a condition",
    operation: setIf(["a", "1"], 0n),
    needs: [
      ["write", "a"],
      ["read", "a", "a\0"],
    ],
  },
  { name: "a delete", operation: del("a"), needs: [["write", "a"]] },
  { name: "a delete of an interval", operation: del("a", "c"), needs: [["write", "a", "c"]] },
  { name: "a delete to the end", operation: del("a", "\0"), needs: [["write", "a", "\0"]] },
  {
    name: "a delete that tells what was before",
    operation: del("a", "c", true),
    needs: [
      ["write", "a", "c"],
      ["read", "a", "d"],
    ],
  },
  { name: "a comparison", operation: txn({ compares: [isThere("a")] }), needs: [["read", "a"]] },
  {
    name: "a comparison of an interval",
    operation: txn({ compares: [isThere("a", "c")] }),
    needs: [["read", "a", "c"]],
  },
  { name: "a range in a list", operation: txn({ success: [range("a", "c")] }), needs: [["read", "a", "c"]] },
  {
    name: "both lists, also the one that is not done",
    operation: txn({ success: [set("a", "1")], failure: [del("b")] }),
    needs: [
      ["write", "a"],
      ["write", "b"],
    ],
  },
  {
    name: "nested transactions",
    operation: txn({
      success: [
        txn({
          compares: [isThere("a")],
          failure: [txn({ success: [set("b", "1", { wantPrevious: true })] })],
        }),
      ],
    }),
    needs: [
      ["read", "a"],
      ["write", "b"],
      ["read", "b", "b\0"],
    ],
  },
  { name: "to grant a lease", operation: grant(7n, 9n), needs: [] },
  {
    name: "a set with a lease of its own",
    operation: set("a", "1", { lease: 8n, grantTtl: 9n }),
    needs: [["write", "a"]],
  },
];

describe("needs nothing more and nothing less than its permissions:", () => {
  for (const { name, operation, needs } of rows)
    test(name, async () => {
      assert.equal(await realmWith(...needs).as("one", operation), "done");
      for (const left of needs) {
        const others = needs.filter((one) => one !== left);
        assert.equal(await realmWith(...others).as("one", operation), "permissionDenied", String(left));
      }
    });
});

describe("a lease with keys", () => {
  /** Root has set two keys with it, one of them not on the disk yet. */
  async function leased(...granted: readonly Granted[]): Promise<Realm> {
    const realm = realmWith(...granted);
    assert.equal(await realm.as("root", grant(1n, 9n)), "done");
    assert.equal(await realm.as("root", set("a", "1", { lease: 1n })), "done");
    realm.save();
    assert.equal(await realm.as("root", set("b", "1", { lease: 1n })), "done");
    return realm;
  }

  const uses: readonly (readonly [string, LoggedOperation])[] = [
    ["is revoked", revoke(1n)],
    ["has one more key set with it", set("c", "1", { lease: 1n })],
    ["has one more key set with it on a condition", setIf(["c", "1"], 0n, { lease: 1n })],
    [
      "has one more key set with it in a transaction",
      txn({ failure: [txn({ success: [set("c", "1", { lease: 1n })] })] }),
    ],
  ];
  for (const [name, operation] of uses)
    test(`${name} by who may write all of its keys`, async () => {
      const own: readonly Granted[] = [["readwrite", "c"]];
      for (const missing of [
        ["write", "a"],
        ["write", "b"],
      ] as const) {
        const realm = await leased(...own, missing);
        assert.equal(await realm.as("one", operation), "permissionDenied");
        assert.notEqual(realm.store.lease(1n), undefined);
      }
      const realm = await leased(...own, ["write", "a", "c"]);
      assert.equal(await realm.as("one", operation), "done");
    });

  test("is not looked at for who may write every key", async () => {
    const realm = await leased(["write", "\0", "\0"]);
    for (const user of ["one", "root"])
      assert.equal(realm.now(set("c", "1", { lease: 1n }), realm.caller(user)).kind, "set");
  });

  test("without keys is revoked by anybody, and one that is gone is not found", async () => {
    const realm = realmWith();
    assert.equal(await realm.as("root", grant(2n, 9n)), "done");
    assert.equal(await realm.as("one", revoke(2n)), "done");
    assert.equal(await realm.as("one", revoke(2n)), "leaseNotFound");
  });

  test("does not stand in the way of a set that keeps what the key has", async () => {
    const realm = await leased(["write", "b"]);
    assert.equal(await realm.as("one", set("b", "2", { keepLease: true })), "done");
  });
});

test("a permission that is taken away is of no force for what stands behind that in the log", async () => {
  const realm = realmWith(["write", "a"]);
  assert.equal(await realm.as("one", set("a", "1")), "done");
  realm.changes(revokePermission("some", "a"));
  assert.equal(await realm.as("one", set("a", "2")), "permissionDenied");
  assert.equal(realm.value("a"), "1");
});

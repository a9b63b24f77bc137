/** Random users, roles, changes of them, and callers. Names and keys are few, so that they meet. */
import { PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import fc from "fast-check";
import type { AuthState, Origin, Permission } from "../../src/auth/auth-state.ts";
import { comparePermissions } from "../../src/auth/order.ts";
import type { LoggedOperation } from "../../src/operation.ts";
import { auth } from "../commands.ts";
import { bytes } from "../disk.ts";

const someUser = fc.constantFrom("root", "one", "one", "two", "");
const someRole = fc.constantFrom("root", "some", "some", "other", "");
const someKind = fc.constantFrom(PermissionKind.READ, PermissionKind.WRITE, PermissionKind.READWRITE);
const someHash = fc.uint8Array({ maxLength: 60 });

/** With those among them that there cannot be. */
const someInterval = fc
  .tuple(
    fc.constantFrom("", "\0", "a", "a\0", "a\xff", "b", "c"),
    fc.constantFrom("", "", "\0", "a\0", "a\xff", "b", "c", "\xff"),
  )
  .map(([key, rangeEnd]) => ({ key: bytes(key), rangeEnd: bytes(rangeEnd) }));

export const someAuthChange: fc.Arbitrary<Extract<LoggedOperation, { case: "auth" }>> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(auth({ case: "enable", value: {} })) },
  { weight: 1, arbitrary: fc.constant(auth({ case: "disable", value: {} })) },
  {
    weight: 3,
    arbitrary: fc
      .record({ name: someUser, passwordHash: someHash, noPassword: fc.boolean() })
      .map((value) => auth({ case: "addUser", value })),
  },
  { weight: 1, arbitrary: someUser.map((name) => auth({ case: "deleteUser", value: { name } })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ name: someUser, passwordHash: someHash })
      .map((value) => auth({ case: "changePassword", value })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ user: someUser, role: someRole })
      .map((value) => auth({ case: "grantRole", value })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ user: someUser, role: someRole })
      .map((value) => auth({ case: "revokeRole", value })),
  },
  { weight: 3, arbitrary: someRole.map((name) => auth({ case: "addRole", value: { name } })) },
  { weight: 1, arbitrary: someRole.map((name) => auth({ case: "deleteRole", value: { name } })) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(someRole, fc.oneof({ weight: 9, arbitrary: someKind }, fc.constantFrom(0, 4)), someInterval)
      .map(([role, kind, interval]) =>
        auth({ case: "grantPermission", value: { role, kind: kind as PermissionKind, ...interval } }),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(someRole, someInterval)
      .map(([role, interval]) => auth({ case: "revokePermission", value: { role, ...interval } })),
  },
);

/** Mostly as one is who was looked at just now. */
export const someCaller = fc
  .tuple(
    fc.constantFrom("root", "root", "one", "one", "one", "two", "", "nobody", "member"),
    fc.constantFrom(0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, -1n, 1n),
  )
  .map(([user, more]) => ({ authRevision }: { readonly authRevision: bigint }): Origin | undefined => {
    if (user === "member") return "member";
    return user === "" ? undefined : { user, authRevision: authRevision + more };
  });

export const someOrigin: fc.Arbitrary<Origin | undefined> = fc.oneof(
  fc.constantFrom(undefined, "member" as const),
  fc.record(
    {
      user: fc.string({ minLength: 1, maxLength: 9 }),
      authRevision: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    },
    { noNullPrototype: true },
  ),
);

const somePermissions: fc.Arbitrary<readonly Permission[]> = fc
  .uniqueArray(
    fc
      .tuple(someKind, fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }))
      .map(([kind, key, rangeEnd]) => ({ kind, key, rangeEnd })),
    { maxLength: 5, comparator: (a, b) => comparePermissions(a, b) === 0 },
  )
  .map((list) => list.sort(comparePermissions));

const someNames = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 4 })
  .map((names) => names.sort(byCodeUnits));

/** Of any that can be stored. */
export const someAuth: fc.Arbitrary<AuthState> = fc
  .record({
    isEnabled: fc.boolean(),
    revision: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    users: someNames,
    roles: someNames,
    noPassword: fc.boolean(),
    passwordHash: someHash,
    permissions: somePermissions,
  })
  .map(({ isEnabled, revision, users, roles, noPassword, passwordHash, permissions }) => ({
    isEnabled,
    revision,
    users: new Map(users.map((name) => [name, { name, noPassword, passwordHash, roles }])),
    roles: new Map(roles.map((name) => [name, { name, permissions }])),
  }));

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

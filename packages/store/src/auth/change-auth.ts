/** Changes of who may do what. What is refused and what is not is as in etcd. */
import {
  type AuthCommand,
  type GrantPermission,
  PermissionKind,
  type RevokePermission,
} from "@dkv/protocol/dkv/peer/v1/command";
import { compareKeys } from "../overlay/sorted-keys.ts";
import { intervalOf } from "../read/interval.ts";
import { Refusal } from "../refusal.ts";
import { type AuthState, type Role, rootName, type User } from "./auth-state.ts";
import { comparePermissions } from "./order.ts";
import { isRoot } from "./permissions.ts";

type Change = AuthCommand["change"];

/** The state after a change; the same one if it changes nothing. Throws a {@link Refusal}. */
export function changeAuth(auth: AuthState, { change }: AuthCommand): AuthState {
  if (change.case === "enable") return enable(auth);
  if (change.case === "disable" && !auth.isEnabled) return auth;
  const changed = withChange(auth, change);
  return changed === auth ? auth : { ...changed, revision: auth.revision + 1n };
}

/** As in etcd this alone leaves the revision as it is: nobody's permissions were of force before. */
function enable(auth: AuthState): AuthState {
  if (auth.isEnabled) return auth;
  if (!auth.users.has(rootName)) throw new Refusal("rootUserMissing");
  if (!isRoot(auth, rootName)) throw new Refusal("rootRoleMissing");
  return { ...auth, isEnabled: true };
}

function withChange(auth: AuthState, change: Exclude<Change, { case: "enable" }>): AuthState {
  switch (change.case) {
    case "disable":
      return { ...auth, isEnabled: false };
    case "addUser":
      return addUser(auth, { ...change.value, roles: [] });
    case "deleteUser":
      return deleteUser(auth, change.value.name);
    case "changePassword":
      return changePassword(auth, userNamed(auth, change.value.name), change.value.passwordHash);
    case "grantRole":
      return grantRole(auth, userNamed(auth, change.value.user), change.value.role);
    case "revokeRole":
      return revokeRole(auth, change.value);
    case "addRole":
      return addRole(auth, change.value.name);
    case "deleteRole":
      return deleteRole(auth, change.value.name);
    case "grantPermission":
      return grantPermission(auth, change.value);
    case "revokePermission":
      return revokePermission(auth, change.value);
    case undefined:
      // A member that does not know the change has stopped before.
      return auth;
  }
}

function addUser(auth: AuthState, { name, passwordHash, noPassword, roles }: User): AuthState {
  if (name === "") throw new Refusal("userEmpty");
  if (auth.users.has(name)) throw new Refusal("userExists");
  return withUser(auth, { name, passwordHash: hashOf(passwordHash, noPassword), noPassword, roles });
}

function deleteUser(auth: AuthState, name: string): AuthState {
  if (auth.isEnabled && name === rootName) throw new Refusal("invalidAuthManagement");
  userNamed(auth, name);
  return { ...auth, users: without(auth.users, name) };
}

function changePassword(auth: AuthState, user: User, passwordHash: Uint8Array): AuthState {
  return withUser(auth, { ...user, passwordHash: hashOf(passwordHash, user.noPassword) });
}

function grantRole(auth: AuthState, user: User, role: string): AuthState {
  // There need not be a role called root: it permits everything by its name.
  if (role !== rootName) roleNamed(auth, role);
  if (user.roles.includes(role)) return auth;
  return withUser(auth, { ...user, roles: [...user.roles, role].sort(compareKeys) });
}

function revokeRole(
  auth: AuthState,
  { user: name, role }: { readonly user: string; readonly role: string },
): AuthState {
  if (auth.isEnabled && name === rootName && role === rootName) throw new Refusal("invalidAuthManagement");
  const user = userNamed(auth, name);
  if (!user.roles.includes(role)) throw new Refusal("roleNotGranted");
  return withUser(auth, withoutRole(user, role));
}

function addRole(auth: AuthState, name: string): AuthState {
  if (name === "") throw new Refusal("roleEmpty");
  if (auth.roles.has(name)) throw new Refusal("roleExists");
  return withRole(auth, { name, permissions: [] });
}

function deleteRole(auth: AuthState, name: string): AuthState {
  if (auth.isEnabled && name === rootName) throw new Refusal("invalidAuthManagement");
  roleNamed(auth, name);
  const users = Array.from(auth.users.values(), (user) =>
    user.roles.includes(name) ? withoutRole(user, name) : user,
  );
  return { ...auth, users: byName(users), roles: without(auth.roles, name) };
}

function grantPermission(auth: AuthState, { role: name, kind, key, rangeEnd }: GrantPermission): AuthState {
  if (kind < PermissionKind.READ || kind > PermissionKind.READWRITE) throw new Refusal("permissionNotGiven");
  if (!isInterval(key, rangeEnd)) throw new Refusal("invalidAuthManagement");
  const role = roleNamed(auth, name);
  const granted = { kind, key: Uint8Array.from(key), rangeEnd: Uint8Array.from(rangeEnd) };
  const others = role.permissions.filter((one) => comparePermissions(one, granted) !== 0);
  return withRole(auth, { name, permissions: [...others, granted].sort(comparePermissions) });
}

function revokePermission(auth: AuthState, { role: name, ...interval }: RevokePermission): AuthState {
  const role = roleNamed(auth, name);
  const permissions = role.permissions.filter((one) => comparePermissions(one, interval) !== 0);
  if (permissions.length === role.permissions.length) throw new Refusal("permissionNotGranted");
  return withRole(auth, { name, permissions });
}

/** No key is empty, so one that is cannot be meant; and an end has to be behind it. */
function isInterval(key: Uint8Array, rangeEnd: Uint8Array): boolean {
  const { from, before } = intervalOf(key, rangeEnd);
  return key.length > 0 && (before === undefined || from < before);
}

/** What was decoded from the log are views of all of the entry: they are not kept. */
const hashOf = (passwordHash: Uint8Array, noPassword: boolean): Uint8Array =>
  noPassword ? new Uint8Array() : Uint8Array.from(passwordHash);

function userNamed({ users }: AuthState, name: string): User {
  const user = users.get(name);
  if (user === undefined) throw new Refusal("userNotFound");
  return user;
}

function roleNamed({ roles }: AuthState, name: string): Role {
  const role = roles.get(name);
  if (role === undefined) throw new Refusal("roleNotFound");
  return role;
}

const withUser = (auth: AuthState, user: User): AuthState => ({ ...auth, users: withOne(auth.users, user) });

const withRole = (auth: AuthState, role: Role): AuthState => ({ ...auth, roles: withOne(auth.roles, role) });

const withoutRole = (user: User, role: string): User => ({
  ...user,
  roles: user.roles.filter((one) => one !== role),
});

const withOne = <Item extends { readonly name: string }>(
  items: ReadonlyMap<string, Item>,
  item: Item,
): ReadonlyMap<string, Item> => byName([...without(items, item.name).values(), item]);

const without = <Item>(items: ReadonlyMap<string, Item>, name: string): ReadonlyMap<string, Item> =>
  new Map([...items].filter(([other]) => other !== name));

const byName = <Item extends { readonly name: string }>(items: readonly Item[]): ReadonlyMap<string, Item> =>
  new Map([...items].sort((a, b) => compareKeys(a.name, b.name)).map((item) => [item.name, item]));

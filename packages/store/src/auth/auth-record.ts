/**
 * Users, roles and whether they are of force, under 1a: a dkv.peer.v1.AuthRecord. There is no record before
 * the first change. All of it is one record, for it changes seldom and everybody needs it; so it has a bound.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type AuthRecord, AuthRecordSchema } from "@dkv/protocol/dkv/peer/v1/auth";
import { PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import { prefixes } from "../keyspace/prefixes.ts";
import { DamagedRecordError, openRecord, sealRecord } from "../keyspace/record.ts";
import { compareKeys } from "../overlay/sorted-keys.ts";
import { Refusal } from "../refusal.ts";
import type { StateReader } from "../storage.ts";
import { type AuthState, noRules, type Role, type User } from "./auth-state.ts";
import { comparePermissions } from "./order.ts";

export const authKey: Uint8Array = Uint8Array.of(prefixes.auth);

/** Some ten thousand users; a record travels in one piece. */
export const mostAuthBytes = 2 ** 20;

/** Throws the refusal `authTooLarge`. */
export function encodeAuth(auth: AuthState): Uint8Array {
  const content = contentOf(auth);
  if (content.length > mostAuthBytes) throw new Refusal("authTooLarge");
  return sealRecord(authKey, content);
}

function contentOf({ isEnabled, revision, users, roles }: AuthState): Uint8Array {
  const message = create(AuthRecordSchema, {
    isEnabled,
    revision,
    users: Array.from(users.values(), (user) => ({ ...user, roles: [...user.roles] })),
    roles: Array.from(roles.values(), ({ name, permissions }) => ({ name, permissions: [...permissions] })),
  });
  return toBinary(AuthRecordSchema, message);
}

/** Throws {@link DamagedRecordError}. */
export function decodeAuth(record: Uint8Array): AuthState {
  const content = openRecord(authKey, record);
  const { isEnabled, revision, users, roles } = parse(content);
  const areOrdered =
    isAscending(users, byName) &&
    isAscending(roles, byName) &&
    users.every((user) => isAscending(user.roles, compareKeys)) &&
    roles.every(({ permissions }) => isAscending(permissions, comparePermissions));
  const auth = {
    isEnabled,
    revision,
    users: new Map(users.map((user) => [user.name, userOf(user)])),
    roles: new Map(roles.map((role) => [role.name, roleOf(role)])),
  };
  // What says more than this version knows is not passed over: it may be what forbids something.
  if (!areOrdered || !hasKnownKinds(auth) || Buffer.compare(contentOf(auth), content) !== 0)
    throw new DamagedRecordError("the stored users and roles of the store are none that this version leaves");
  return auth;
}

/** Of the durable state. Throws {@link DamagedRecordError}. */
export function readAuth(reader: StateReader): AuthState {
  const record = reader.get(authKey);
  return record === undefined ? noRules : decodeAuth(record);
}

function parse(content: Uint8Array): AuthRecord {
  try {
    return fromBinary(AuthRecordSchema, content);
  } catch (error) {
    throw new DamagedRecordError("the stored users and roles of the store cannot be read", { cause: error });
  }
}

/** What was parsed are views of the record. */
const userOf = ({ name, passwordHash, noPassword, roles }: User): User => ({
  name,
  passwordHash: Uint8Array.from(passwordHash),
  noPassword,
  roles,
});

const roleOf = ({ name, permissions }: Role): Role => ({
  name,
  permissions: permissions.map(({ kind, key, rangeEnd }) => ({
    kind,
    key: Uint8Array.from(key),
    rangeEnd: Uint8Array.from(rangeEnd),
  })),
});

const hasKnownKinds = ({ roles }: AuthState): boolean =>
  [...roles.values()].every(({ permissions }) =>
    permissions.every(({ kind }) => kind >= PermissionKind.READ && kind <= PermissionKind.READWRITE),
  );

type Named = { readonly name: string };

const byName = (a: Named, b: Named): number => compareKeys(a.name, b.name);

function isAscending<Item>(list: readonly Item[], compare: (a: Item, b: Item) => number): boolean {
  return list.every((item, at) => {
    const before = list[at - 1];
    return at === 0 || before === undefined || compare(before, item) < 0;
  });
}

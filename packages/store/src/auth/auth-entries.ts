/**
 * Users and roles as they stand in etcd's database: whether they are of force and their revision in the table
 * auth, and a message for each under its name in two others.
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  Permission_Type as Type,
  type PermissionSchema,
  RoleSchema,
  UserSchema,
} from "@dkv/protocol/authpb/auth";
import { PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import type { AuthState, Permission, Role, User } from "./auth-state.ts";

export interface AuthEntry {
  readonly table: "auth" | "authRoles" | "authUsers";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** One table after the other, each in the order of its keys as bytes. */
export function authEntries({ isEnabled, revision, users, roles }: AuthState): readonly AuthEntry[] {
  const counted = Buffer.alloc(8);
  counted.writeBigUInt64BE(revision);
  return [
    { table: "auth", key: Buffer.from("authEnabled"), value: Uint8Array.of(isEnabled ? 1 : 0) },
    { table: "auth", key: Buffer.from("authRevision"), value: counted },
    ...[...roles.values()].map(roleEntry).sort(byKey),
    ...[...users.values()].map(userEntry).sort(byKey),
  ];
}

export function etcdPermission({
  kind,
  key,
  rangeEnd,
}: Permission): MessageInitShape<typeof PermissionSchema> {
  return {
    permType: types[kind] ?? Type.READ,
    key: Uint8Array.from(key),
    rangeEnd: Uint8Array.from(rangeEnd),
  };
}

const types: Readonly<Partial<Record<PermissionKind, Type>>> = {
  [PermissionKind.READ]: Type.READ,
  [PermissionKind.WRITE]: Type.WRITE,
  [PermissionKind.READWRITE]: Type.READWRITE,
};

function roleEntry({ name, permissions }: Role): AuthEntry {
  const key = Uint8Array.from(Buffer.from(name));
  const role = create(RoleSchema, { name: key, keyPermission: permissions.map(etcdPermission) });
  return { table: "authRoles", key, value: toBinary(RoleSchema, role) };
}

function userEntry({ name, passwordHash, noPassword, roles }: User): AuthEntry {
  const key = Uint8Array.from(Buffer.from(name));
  const password = Uint8Array.from(passwordHash);
  const user = create(UserSchema, { name: key, password, roles: [...roles], options: { noPassword } });
  return { table: "authUsers", key, value: toBinary(UserSchema, user) };
}

const byKey = (a: AuthEntry, b: AuthEntry): number => Buffer.compare(a.key, b.key);

/** The calls about users and roles: dkv has those of etcd. */
import type { Client } from "@connectrpc/connect";
import { Permission_Type as Type } from "@dkv/protocol/authpb/auth";
import type { Auth } from "@dkv/protocol/etcdserverpb/rpc";

import type { AuthChange, AuthStatus, Permission, PermissionKind } from "../auth.ts";
import type { Keys } from "../keys.ts";
import type { Ask, CallLimits, SendOptions } from "./ask.ts";
import { readCount } from "./messages.ts";

export interface AuthCalls {
  changeAuth(change: AuthChange, limits: CallLimits): Promise<void>;
  authStatus(limits: CallLimits): Promise<AuthStatus>;
  users(limits: CallLimits): Promise<readonly string[]>;
  rolesOf(user: string, limits: CallLimits): Promise<readonly string[]>;
  roles(limits: CallLimits): Promise<readonly string[]>;
  permissionsOf(role: string, limits: CallLimits): Promise<readonly Permission[]>;
}

/** @param open loads what it takes */
export function createAuthCalls(open: () => Promise<Client<typeof Auth>>, ask: Ask): AuthCalls {
  const send = async <Answer>(
    limits: CallLimits,
    request: (client: Client<typeof Auth>, options: SendOptions) => Promise<Answer>,
  ): Promise<Answer> => {
    const client = await open();
    return ask.once(limits, async (options) => request(client, options));
  };
  return {
    async changeAuth(change, limits) {
      await send(limits, async (client, options) => sendChange(client, change, options));
    },
    async authStatus(limits) {
      const { enabled, authRevision } = await send(limits, async (client, options) =>
        client.authStatus({}, options),
      );
      return { isEnabled: enabled, revision: readCount(authRevision) };
    },
    async users(limits) {
      return (await send(limits, async (client, options) => client.userList({}, options))).users;
    },
    async rolesOf(name, limits) {
      return (await send(limits, async (client, options) => client.userGet({ name }, options))).roles;
    },
    async roles(limits) {
      return (await send(limits, async (client, options) => client.roleList({}, options))).roles;
    },
    async permissionsOf(role, limits) {
      const { perm } = await send(limits, async (client, options) => client.roleGet({ role }, options));
      return perm.map(({ permType, key, rangeEnd }) => ({
        kind: kinds[permType] ?? "read",
        from: key,
        before: endOf(key, rangeEnd),
      }));
    },
  };
}

function sendChange(client: Client<typeof Auth>, change: AuthChange, options: SendOptions): Promise<unknown> {
  switch (change.kind) {
    case "enable":
      return client.authEnable({}, options);
    case "disable":
      return client.authDisable({}, options);
    case "addUser": {
      const { name, password } = change;
      const noPassword = password === undefined;
      return client.userAdd({ name, password: password ?? "", options: { noPassword } }, options);
    }
    case "deleteUser":
      return client.userDelete({ name: change.name }, options);
    case "changePassword":
      return client.userChangePassword({ name: change.name, password: change.password }, options);
    case "grantRole":
      return client.userGrantRole({ user: change.name, role: change.role }, options);
    case "revokeRole":
      return client.userRevokeRole({ name: change.name, role: change.role }, options);
    case "addRole":
      return client.roleAdd({ name: change.role }, options);
    case "deleteRole":
      return client.roleDelete({ role: change.role }, options);
    case "grantPermission": {
      const perm = { permType: types[change.permits], ...intervalOf(change.keys) };
      return client.roleGrantPermission({ name: change.role, perm }, options);
    }
    case "revokePermission":
      return client.roleRevokePermission({ role: change.role, ...intervalOf(change.keys) }, options);
  }
}

const types: Readonly<Record<PermissionKind, Type>> = {
  read: Type.READ,
  write: Type.WRITE,
  readwrite: Type.READWRITE,
};

const kinds: Readonly<Partial<Record<Type, PermissionKind>>> = {
  [Type.READ]: "read",
  [Type.WRITE]: "write",
  [Type.READWRITE]: "readwrite",
};

/** As etcd names the keys of an interval. */
interface Interval {
  readonly key: Uint8Array<ArrayBuffer>;
  readonly rangeEnd: Uint8Array<ArrayBuffer>;
}

const zero = Uint8Array.of(0);
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function intervalOf(keys: Keys): Interval {
  if ("key" in keys) return { key: utf8(keys.key), rangeEnd: new Uint8Array() };
  if ("prefix" in keys) {
    const key = utf8(keys.prefix);
    return key.length === 0 ? { key: zero, rangeEnd: zero } : { key, rangeEnd: behindPrefix(key) };
  }
  const { from = "", before } = keys;
  return { key: from === "" ? zero : utf8(from), rangeEnd: before === undefined ? zero : utf8(before) };
}

/** UTF-8 has no byte ff, so there is always a key behind all that begin so. */
function behindPrefix(prefix: Uint8Array): Uint8Array<ArrayBuffer> {
  const end = Uint8Array.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

function endOf(key: Uint8Array, rangeEnd: Uint8Array): Uint8Array | undefined {
  if (rangeEnd.length === 0) return Uint8Array.of(...key, 0);
  return rangeEnd.length === 1 && rangeEnd[0] === 0 ? undefined : rangeEnd;
}

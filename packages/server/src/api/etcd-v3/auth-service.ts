/** Users, roles, and what they may do, as clients of etcd ask for them. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Permission_Type as Type, type PermissionSchema } from "@dkv/protocol/authpb/auth";
import { AuthCommandSchema, PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";
import type {
  AuthenticateRequest,
  AuthenticateResponseSchema,
  AuthRoleAddRequest,
  AuthRoleDeleteRequest,
  AuthRoleGetRequest,
  AuthRoleGetResponseSchema,
  AuthRoleGrantPermissionRequest,
  AuthRoleListResponseSchema,
  AuthRoleRevokePermissionRequest,
  AuthStatusResponseSchema,
  AuthUserAddRequest,
  AuthUserChangePasswordRequest,
  AuthUserDeleteRequest,
  AuthUserGetRequest,
  AuthUserGetResponseSchema,
  AuthUserGrantRoleRequest,
  AuthUserListResponseSchema,
  AuthUserRevokeRoleRequest,
  ResponseHeaderSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { etcdPermission, type Role, rootName } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { authenticate } from "../auth/authenticate.ts";
import type { Asker } from "../auth/asker.ts";
import type { Guard } from "../auth/guard.ts";
import { Rights } from "../auth/rights.ts";
import { etcdError } from "./errors.ts";
import { headerOf } from "./header.ts";
import type { CallInfo } from "./method.ts";

/** An answer that has a header and nothing else. */
interface Bare {
  readonly header: MessageInitShape<typeof ResponseHeaderSchema>;
}

type Change = NonNullable<MessageInitShape<typeof AuthCommandSchema>["change"]>;
type Timeout = CallInfo["timeoutMs"];
type PermissionInit = MessageInitShape<typeof PermissionSchema>;

const nothing = new Uint8Array();

/** One user's. Every method rejects with a DkvError, or with an error of etcd. */
export class AuthService {
  readonly #member: Member;
  readonly #guard: Guard;
  readonly #asker: Asker | undefined;

  /** @param member as the asker sees it */
  constructor(member: Member, guard: Guard, asker: Asker | undefined) {
    this.#member = member;
    this.#guard = guard;
    this.#asker = asker;
  }

  enable({ timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "enable", value: {} }, timeoutMs);
  }

  disable({ timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "disable", value: {} }, timeoutMs);
  }

  async status({ timeoutMs }: CallInfo): Promise<MessageInitShape<typeof AuthStatusResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    const { isEnabled: enabled, revision: authRevision } = this.#member.auth;
    return { header: headerOf(this.#member), enabled, authRevision };
  }

  async authenticate(
    request: AuthenticateRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof AuthenticateResponseSchema>> {
    const token = await authenticate(request, this.#guard, timeoutMs);
    return { header: headerOf(this.#member), token };
  }

  async addUser({ name, password, options }: AuthUserAddRequest, { timeoutMs }: CallInfo): Promise<Bare> {
    if (name === "") throw etcdError("userEmpty");
    const noPassword = options?.noPassword === true;
    const passwordHash = noPassword ? nothing : await this.#hashOf(password);
    return this.#change({ case: "addUser", value: { name, passwordHash, noPassword } }, timeoutMs);
  }

  async getUser(
    { name }: AuthUserGetRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof AuthUserGetResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    const rights = this.#rights();
    if (name !== this.#asker?.name) rights.needRoot();
    const user = rights.auth.users.get(name);
    if (user === undefined) throw etcdError("userNotFound");
    return { header: headerOf(this.#member), roles: [...user.roles] };
  }

  async listUsers({ timeoutMs }: CallInfo): Promise<MessageInitShape<typeof AuthUserListResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    this.#rights().needRoot();
    return { header: headerOf(this.#member), users: [...this.#member.auth.users.keys()] };
  }

  deleteUser({ name }: AuthUserDeleteRequest, { timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "deleteUser", value: { name } }, timeoutMs);
  }

  /** An empty password is none: nobody can log in with it. */
  async changePassword(
    { name, password }: AuthUserChangePasswordRequest,
    { timeoutMs }: CallInfo,
  ): Promise<Bare> {
    const passwordHash = password === "" ? nothing : await this.#hashOf(password);
    return this.#change({ case: "changePassword", value: { name, passwordHash } }, timeoutMs);
  }

  grantRole({ user, role }: AuthUserGrantRoleRequest, { timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "grantRole", value: { user, role } }, timeoutMs);
  }

  revokeRole({ name: user, role }: AuthUserRevokeRoleRequest, { timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "revokeRole", value: { user, role } }, timeoutMs);
  }

  addRole({ name }: AuthRoleAddRequest, { timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "addRole", value: { name } }, timeoutMs);
  }

  async getRole(
    { role: name }: AuthRoleGetRequest,
    { timeoutMs }: CallInfo,
  ): Promise<MessageInitShape<typeof AuthRoleGetResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    const rights = this.#rights();
    const own = this.#asker && rights.auth.users.get(this.#asker.name);
    if (own?.roles.includes(name) !== true) rights.needRoot();
    const role = rights.auth.roles.get(name);
    if (role === undefined) throw etcdError("roleNotFound");
    return { header: headerOf(this.#member), perm: permissionsOf(role) };
  }

  async listRoles({ timeoutMs }: CallInfo): Promise<MessageInitShape<typeof AuthRoleListResponseSchema>> {
    await this.#member.readBarrier(timeoutMs);
    this.#rights().needRoot();
    return { header: headerOf(this.#member), roles: [...this.#member.auth.roles.keys()] };
  }

  deleteRole({ role: name }: AuthRoleDeleteRequest, { timeoutMs }: CallInfo): Promise<Bare> {
    return this.#change({ case: "deleteRole", value: { name } }, timeoutMs);
  }

  async grantPermission(
    { name: role, perm }: AuthRoleGrantPermissionRequest,
    { timeoutMs }: CallInfo,
  ): Promise<Bare> {
    if (perm === undefined) throw etcdError("permissionNotGiven");
    const { permType, key, rangeEnd } = perm;
    const kind = kinds[permType] ?? PermissionKind.UNSPECIFIED;
    return this.#change({ case: "grantPermission", value: { role, kind, key, rangeEnd } }, timeoutMs);
  }

  revokePermission(
    { role, key, rangeEnd }: AuthRoleRevokePermissionRequest,
    { timeoutMs }: CallInfo,
  ): Promise<Bare> {
    return this.#change({ case: "revokePermission", value: { role, key, rangeEnd } }, timeoutMs);
  }

  #hashOf(password: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#guard.passwords.hashOf(password);
  }

  #rights(): Rights {
    return new Rights(this.#member, this.#asker);
  }

  async #change(change: Change, timeoutMs: Timeout): Promise<Bare> {
    const value = create(AuthCommandSchema, { change });
    const result = await this.#member.propose({ case: "auth", value }, timeoutMs);
    return { header: headerOf(this.#member, result.revision) };
  }
}

const kinds: Readonly<Record<number, PermissionKind>> = {
  [Type.READ]: PermissionKind.READ,
  [Type.WRITE]: PermissionKind.WRITE,
  [Type.READWRITE]: PermissionKind.READWRITE,
};

/** The role that permits everything has no permissions of its own: it is told as one for all keys. */
function permissionsOf({ name, permissions }: Role): PermissionInit[] {
  if (name === rootName) return [{ permType: Type.READWRITE, key: nothing, rangeEnd: Uint8Array.of(0) }];
  return permissions.map(etcdPermission);
}

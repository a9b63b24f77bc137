/**
 * Obviously right rules: lists, looked through each time. An interval is covered if each piece of it is that
 * lies between two ends of any interval there is.
 */
import type { AuthCommand, TxnCommand } from "@dkv/protocol/dkv/peer/v1/command";
import type { AuthState, Origin } from "../../src/auth/auth-state.ts";
import { type ByteString, toByteString } from "../../src/bytes.ts";
import type { LoggedOperation } from "../../src/operation.ts";
import type { AuthRefusalReason } from "../../src/results.ts";
import type { LeaseId } from "../../src/version.ts";
import { ModelRefusal } from "./draft.ts";

interface Grant {
  readonly role: string;
  readonly kind: number;
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
}

interface Wish {
  readonly kind: "read" | "write";
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
}

/** Greater than all keys here. */
const end = "\xff\xff\xff\xff";

/** What not only root may ask for. */
const forAll: readonly LoggedOperation["case"][] = [
  "set",
  "setIf",
  "delete",
  "txn",
  "grantLease",
  "revokeLease",
];

const kinds = { read: [1, 3], write: [2, 3] } as const;

export class Rules {
  isEnabled = false;
  revision = 1n;
  #users: { readonly name: string; hash: string; readonly noPassword: boolean }[] = [];
  #roles: string[] = [];
  #memberships: { readonly user: string; readonly role: string }[] = [];
  #grants: Grant[] = [];

  /** Users, roles and permissions in words, in an order of no meaning. */
  rows(): readonly string[] {
    return [
      `enabled ${String(this.isEnabled)} ${String(this.revision)}`,
      ...this.#users.map(({ name, hash, noPassword }) => `user ${name} ${hash} ${String(noPassword)}`),
      ...this.#roles.map((name) => `role ${name}`),
      ...this.#memberships.map(({ user, role }) => `${user} is ${role}`),
      ...this.#grants.map(({ role, kind, key, rangeEnd }) => `${role} ${String(kind)} ${key} ‥ ${rangeEnd}`),
    ].sort(byCodeUnits);
  }

  check(
    operation: LoggedOperation,
    origin: Origin | undefined,
    keysOf: (lease: LeaseId) => readonly ByteString[],
  ): void {
    if (!this.isEnabled || origin === "member") return;
    if (origin === undefined) throw new ModelRefusal("userEmpty");
    if (origin.authRevision !== this.revision) throw new ModelRefusal("authRevisionOld");
    if (!this.#hasUser(origin.user)) throw new ModelRefusal("permissionDenied");
    if (this.#isRoot(origin.user)) return;
    const isAllowed =
      forAll.includes(operation.case) &&
      wishesOf(operation, keysOf).every((wish) => this.#allows(origin.user, wish));
    if (!isAllowed) throw new ModelRefusal("permissionDenied");
  }

  change(change: AuthCommand["change"]): void {
    if (change.case === "enable") {
      this.#demand(this.isEnabled || this.#hasUser("root"), "rootUserMissing");
      this.#demand(this.isEnabled || this.#isRoot("root"), "rootRoleMissing");
      this.isEnabled = true;
      return;
    }
    if (this.#change(change)) this.revision += 1n;
  }

  /** Returns whether there is anything new. */
  #change(change: Exclude<AuthCommand["change"], { case: "enable" }>): boolean {
    switch (change.case) {
      case "disable": {
        const wasEnabled = this.isEnabled;
        this.isEnabled = false;
        return wasEnabled;
      }
      case "addUser": {
        const { name, noPassword, passwordHash } = change.value;
        this.#demand(name !== "", "userEmpty");
        this.#demand(!this.#hasUser(name), "userExists");
        this.#users.push({ name, noPassword, hash: noPassword ? "" : toByteString(passwordHash) });
        return true;
      }
      case "deleteUser": {
        const { name } = change.value;
        this.#demand(!this.isEnabled || name !== "root", "invalidAuthManagement");
        this.#demand(this.#hasUser(name), "userNotFound");
        this.#users = this.#users.filter((user) => user.name !== name);
        this.#memberships = this.#memberships.filter(({ user }) => user !== name);
        return true;
      }
      case "changePassword": {
        const user = this.#users.find(({ name }) => name === change.value.name);
        if (user === undefined) throw new ModelRefusal("userNotFound");
        if (!user.noPassword) user.hash = toByteString(change.value.passwordHash);
        return true;
      }
      case "grantRole": {
        const { user, role } = change.value;
        this.#demand(this.#hasUser(user), "userNotFound");
        this.#demand(role === "root" || this.#roles.includes(role), "roleNotFound");
        if (this.#has(user, role)) return false;
        this.#memberships.push({ user, role });
        return true;
      }
      case "revokeRole": {
        const { user, role } = change.value;
        const isLast = this.isEnabled && user === "root" && role === "root";
        this.#demand(!isLast, "invalidAuthManagement");
        this.#demand(this.#hasUser(user), "userNotFound");
        this.#demand(this.#has(user, role), "roleNotGranted");
        this.#memberships = this.#memberships.filter((one) => one.user !== user || one.role !== role);
        return true;
      }
      default:
        return this.#changeRole(change);
    }
  }

  #changeRole(change: AuthCommand["change"]): boolean {
    switch (change.case) {
      case "addRole": {
        const { name } = change.value;
        this.#demand(name !== "", "roleEmpty");
        this.#demand(!this.#roles.includes(name), "roleExists");
        this.#roles.push(name);
        return true;
      }
      case "deleteRole": {
        const { name } = change.value;
        this.#demand(!this.isEnabled || name !== "root", "invalidAuthManagement");
        this.#demand(this.#roles.includes(name), "roleNotFound");
        this.#roles = this.#roles.filter((role) => role !== name);
        this.#memberships = this.#memberships.filter(({ role }) => role !== name);
        this.#grants = this.#grants.filter(({ role }) => role !== name);
        return true;
      }
      case "grantPermission": {
        const { role, kind } = change.value;
        const key = toByteString(change.value.key);
        const rangeEnd = toByteString(change.value.rangeEnd);
        this.#demand([1, 2, 3].includes(kind), "permissionNotGiven");
        const isInterval = rangeEnd === "" || rangeEnd === "\0" || key < rangeEnd;
        this.#demand(key !== "" && isInterval, "invalidAuthManagement");
        this.#demand(this.#roles.includes(role), "roleNotFound");
        this.#revoke(role, key, rangeEnd);
        this.#grants.push({ role, kind, key, rangeEnd });
        return true;
      }
      case "revokePermission": {
        const { role, key, rangeEnd } = change.value;
        this.#demand(this.#roles.includes(role), "roleNotFound");
        const wasThere = this.#revoke(role, toByteString(key), toByteString(rangeEnd));
        this.#demand(wasThere, "permissionNotGranted");
        return true;
      }
      default:
        throw new Error("no such change is drawn");
    }
  }

  #revoke(role: string, key: ByteString, rangeEnd: ByteString): boolean {
    const isOther = (one: Grant): boolean =>
      one.role !== role || one.key !== key || one.rangeEnd !== rangeEnd;
    const before = this.#grants.length;
    this.#grants = this.#grants.filter(isOther);
    return this.#grants.length < before;
  }

  #demand(isSo: boolean, reason: AuthRefusalReason): void {
    if (!isSo) throw new ModelRefusal(reason);
  }

  #hasUser(wanted: string): boolean {
    return this.#users.some(({ name }) => name === wanted);
  }

  #has(user: string, role: string): boolean {
    return this.#memberships.some((one) => one.user === user && one.role === role);
  }

  #isRoot(user: string): boolean {
    return this.#has(user, "root");
  }

  #allows(user: string, { kind, key, rangeEnd }: Wish): boolean {
    const granted = this.#grants
      .filter((grant) => this.#has(user, grant.role) && kinds[kind].some((one) => one === grant.kind))
      .map((grant) => stretch(grant.key, grant.rangeEnd));
    // Nobody is granted the empty key, and there is none.
    const [from, before] = stretch(key === "" && rangeEnd !== "" ? "\0" : key, rangeEnd);
    if (from >= before) return granted.some((one) => one[0] <= from && from < one[1] && before <= one[1]);
    const ends = [...granted.flat(), from, before].filter((one) => one >= from && one <= before);
    const pieces = [...new Set(ends)].sort(byCodeUnits);
    return pieces
      .slice(1)
      .every((piece, at) => granted.some((one) => one[0] <= (pieces[at] ?? "") && piece <= one[1]));
  }
}

/** What the store's rules are, as {@link Rules.rows}. */
export const rowsOf = ({ isEnabled, revision, users, roles }: AuthState): readonly string[] =>
  [
    `enabled ${String(isEnabled)} ${String(revision)}`,
    ...Array.from(
      users.values(),
      ({ name, passwordHash, noPassword }) =>
        `user ${name} ${toByteString(passwordHash)} ${String(noPassword)}`,
    ),
    ...Array.from(roles.keys(), (name) => `role ${name}`),
    ...Array.from(users.values()).flatMap((user) => user.roles.map((role) => `${user.name} is ${role}`)),
    ...Array.from(roles.values()).flatMap(({ name, permissions }) =>
      permissions.map(
        ({ kind, key, rangeEnd }) =>
          `${name} ${String(kind)} ${toByteString(key)} ‥ ${toByteString(rangeEnd)}`,
      ),
    ),
  ].sort(byCodeUnits);

function stretch(key: ByteString, rangeEnd: ByteString): readonly [ByteString, ByteString] {
  if (rangeEnd === "") return [key, `${key}\0`];
  return [key, rangeEnd === "\0" ? end : rangeEnd];
}

function wishesOf(
  operation: LoggedOperation | TxnCommand["success"][number]["operation"],
  keysOf: (lease: LeaseId) => readonly ByteString[],
): readonly Wish[] {
  switch (operation.case) {
    case "range":
      return [wish("read", operation.value)];
    case "set": {
      const { key, wantPrevious, lease, grantTtl, keepLease } = operation.value;
      const shared = grantTtl === 0n && !keepLease ? keysOf(lease) : [];
      return [
        { kind: "write", key: toByteString(key), rangeEnd: "" },
        ...(wantPrevious ? [{ kind: "read", key: toByteString(key), rangeEnd: "" } as const] : []),
        ...(lease === 0n ? [] : shared.map(writeKey)),
      ];
    }
    case "setIf": {
      const { key, lease, grantTtl } = operation.value;
      const shared = lease !== 0n && grantTtl === 0n ? keysOf(lease) : [];
      const one = { key: toByteString(key), rangeEnd: "" };
      return [{ kind: "write", ...one }, { kind: "read", ...one }, ...shared.map(writeKey)];
    }
    case "delete":
      return [
        wish("write", operation.value),
        ...(operation.value.wantPrevious ? [wish("read", operation.value)] : []),
      ];
    case "revokeLease":
      return keysOf(operation.value.id).map(writeKey);
    case "txn": {
      const { compares, success, failure } = operation.value;
      const parts = [...success, ...failure].flatMap((part) => wishesOf(part.operation, keysOf));
      return [...compares.map((compare) => wish("read", compare)), ...parts];
    }
    default:
      return [];
  }
}

const writeKey = (key: ByteString): Wish => ({ kind: "write", key, rangeEnd: "" });

const wish = (
  kind: Wish["kind"],
  { key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
): Wish => ({ kind, key: toByteString(key), rangeEnd: toByteString(rangeEnd) });

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Who may do what: users, roles, and what those permit. */
import { checkKeys, checkText } from "./checks.ts";
import type { Keys } from "./keys.ts";
import type { CallOptions } from "./options.ts";
import type { Requests } from "./requests.ts";
import type { Effect } from "./retry.ts";

/** What may be done with keys. */
export type PermissionKind = "read" | "write" | "readwrite";

/** What a role permits, for keys as bytes: other clients may have named some that are no text. */
export interface Permission {
  readonly kind: PermissionKind;
  readonly from: Uint8Array;
  /** The first key that is not meant; undefined: to the end. One that is only `from` ends right behind it. */
  readonly before: Uint8Array | undefined;
}

export interface AuthStatus {
  readonly isEnabled: boolean;
  /** Counts the changes of users, roles and permissions. */
  readonly revision: number;
}

/** A change of who may do what. */
export type AuthChange =
  | { readonly kind: "enable" | "disable" }
  | { readonly kind: "addUser"; readonly name: string; readonly password: string | undefined }
  | { readonly kind: "deleteUser"; readonly name: string }
  | { readonly kind: "changePassword"; readonly name: string; readonly password: string }
  | { readonly kind: "grantRole" | "revokeRole"; readonly name: string; readonly role: string }
  | { readonly kind: "addRole" | "deleteRole"; readonly role: string }
  | {
      readonly kind: "grantPermission";
      readonly role: string;
      readonly permits: PermissionKind;
      readonly keys: Keys;
    }
  | { readonly kind: "revokePermission"; readonly role: string; readonly keys: Keys };

/** What asking for the change twice does: what is there already, or is not there any more, is an error. */
const effectOf = ({ kind }: AuthChange): Effect =>
  kind === "enable" ||
  kind === "disable" ||
  kind === "changePassword" ||
  kind === "grantRole" ||
  kind === "grantPermission"
    ? "idempotent"
    : "once";

/** All operations throw DkvClientError. While authentication is enabled they need a user with the role root. */
export class Auth {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** From now on nobody does anything without a permission. Needs a user root that has the role root. */
  async enable(options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "enable" }, options);
  }

  async disable(options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "disable" }, options);
  }

  async status(options: CallOptions = {}): Promise<AuthStatus> {
    return this.#requests.perform(
      { name: "auth status", effect: "none", call: async (calls, limits) => calls.authStatus(limits) },
      options,
    );
  }

  /** Without a password, the user is known by a client certificate with that common name alone. */
  async addUser(name: string, password: string | undefined, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "addUser", name, password }, options);
  }

  async deleteUser(name: string, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "deleteUser", name }, options);
  }

  /** Ends what was begun with the old one. */
  async changePassword(name: string, password: string, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "changePassword", name, password }, options);
  }

  async listUsers(options: CallOptions = {}): Promise<readonly string[]> {
    return this.#requests.perform(
      { name: "user list", effect: "none", call: async (calls, limits) => calls.users(limits) },
      options,
    );
  }

  /** The user's roles. */
  async rolesOf(name: string, options: CallOptions = {}): Promise<readonly string[]> {
    checkText("name of the user", name);
    return this.#requests.perform(
      { name: "user get", effect: "none", call: async (calls, limits) => calls.rolesOf(name, limits) },
      options,
    );
  }

  async grantRole(name: string, role: string, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "grantRole", name, role }, options);
  }

  async revokeRole(name: string, role: string, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "revokeRole", name, role }, options);
  }

  async addRole(role: string, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "addRole", role }, options);
  }

  /** Every user loses it. */
  async deleteRole(role: string, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "deleteRole", role }, options);
  }

  async listRoles(options: CallOptions = {}): Promise<readonly string[]> {
    return this.#requests.perform(
      { name: "role list", effect: "none", call: async (calls, limits) => calls.roles(limits) },
      options,
    );
  }

  /** What the role permits. */
  async permissionsOf(role: string, options: CallOptions = {}): Promise<readonly Permission[]> {
    checkText("name of the role", role);
    return this.#requests.perform(
      { name: "role get", effect: "none", call: async (calls, limits) => calls.permissionsOf(role, limits) },
      options,
    );
  }

  /** Takes the place of what the role had for the very same keys. */
  async grantPermission(
    role: string,
    { kind: permits, keys }: { readonly kind: PermissionKind; readonly keys: Keys },
    options: CallOptions = {},
  ): Promise<void> {
    return this.#change({ kind: "grantPermission", role, permits, keys }, options);
  }

  /** Of the very same keys as they were granted. */
  async revokePermission(role: string, keys: Keys, options: CallOptions = {}): Promise<void> {
    return this.#change({ kind: "revokePermission", role, keys }, options);
  }

  async #change(change: AuthChange, options: CallOptions): Promise<void> {
    for (const [field, value] of Object.entries(change))
      if (field !== "keys" && value !== undefined) checkText("name or password", value);
    if ("keys" in change) checkKeys(change.keys);
    return this.#requests.perform(
      {
        name: change.kind,
        effect: effectOf(change),
        call: async (calls, limits) => calls.changeAuth(change, limits),
      },
      options,
    );
  }
}

/** A store with rules of force, as the tests that tell stories of them use it. */
import assert from "node:assert/strict";
import type { Caller } from "../../src/auth/auth-state.ts";
import type { LoggedOperation, Operation } from "../../src/operation.ts";
import { auth, type AuthChange } from "../commands.ts";
import type { Disk } from "../disk.ts";
import { bytes } from "../disk.ts";
import { Play } from "../play.ts";

/** The numbers of command.proto. */
export const kinds = { read: 1, write: 2, readwrite: 3 } as const;

/** What a role is granted: how, from, and up to where. */
export type Granted = readonly [kind: keyof typeof kinds, key: string, rangeEnd?: string];

export const addUser = (name: string): AuthChange => ({
  case: "addUser",
  value: { name, passwordHash: bytes(`hash of ${name}`) },
});
export const grantRole = (user: string, role: string): AuthChange => ({
  case: "grantRole",
  value: { user, role },
});
export const addRole = (name: string): AuthChange => ({ case: "addRole", value: { name } });
export const grantPermission = (role: string, [kind, key, rangeEnd = ""]: Granted): AuthChange => ({
  case: "grantPermission",
  value: { role, kind: kinds[kind], key: bytes(key), rangeEnd: bytes(rangeEnd) },
});
export const revokePermission = (role: string, key: string, rangeEnd = ""): AuthChange => ({
  case: "revokePermission",
  value: { role, key: bytes(key), rangeEnd: bytes(rangeEnd) },
});
export const enable: AuthChange = { case: "enable", value: {} };
export const disable: AuthChange = { case: "disable", value: {} };

export class Realm extends Play {
  constructor(disk?: Disk) {
    super(disk);
  }

  /** As one is who was looked at just now. */
  caller(user: string): Caller {
    return { user, authRevision: this.store.auth.revision };
  }

  /** By root. Returns why it is refused; "done" if it is not. */
  change(change: AuthChange): string {
    const result = this.now(auth(change), this.caller("root"));
    return result.kind === "refused" ? result.reason : "done";
  }

  changes(...list: readonly AuthChange[]): void {
    for (const change of list) assert.equal(this.change(change), "done");
  }

  /** Root, and one more user, whose only role has these permissions; of force from now on. */
  establish(...granted: readonly Granted[]): void {
    this.changes(addUser("root"), grantRole("root", "root"), addUser("one"), addRole("some"));
    this.changes(grantRole("one", "some"), ...granted.map((one) => grantPermission("some", one)), enable);
  }

  /** What a user is told: "done", or why it is refused. */
  async as(user: string, operation: Operation | LoggedOperation): Promise<string> {
    const result = await this.do(operation, this.caller(user));
    return result.kind === "refused" ? result.reason : "done";
  }
}

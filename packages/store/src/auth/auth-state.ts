/** Who may do what, as every member knows it. */
import type { PermissionKind } from "@dkv/protocol/dkv/peer/v1/command";

export interface User {
  readonly name: string;
  /** Of the password; empty if nobody can log in with one. */
  readonly passwordHash: Uint8Array;
  /** Whether the user is known by a certificate alone. */
  readonly noPassword: boolean;
  /** Names, ascending. A role called root permits everything. */
  readonly roles: readonly string[];
}

/** What may be done with an interval. */
export interface Permission {
  readonly kind: PermissionKind;
  readonly key: Uint8Array;
  /** As in a range. */
  readonly rangeEnd: Uint8Array;
}

export interface Role {
  readonly name: string;
  /** Ascending by key, then by end: one for each interval. */
  readonly permissions: readonly Permission[];
}

/** Never changes: another one takes its place. */
export interface AuthState {
  /** Otherwise everybody may do everything. */
  readonly isEnabled: boolean;
  /** Counts the changes; 1 in an empty store. */
  readonly revision: bigint;
  /** In the order of their names. */
  readonly users: ReadonlyMap<string, User>;
  /** In the order of their names. */
  readonly roles: ReadonlyMap<string, Role>;
}

/** Of an empty store. */
export const noRules: AuthState = { isEnabled: false, revision: 1n, users: new Map(), roles: new Map() };

/** The user that there has to be, and the role that permits everything, as etcd calls both. */
export const rootName = "root";

/** On whose behalf something is done. */
export interface Caller {
  readonly user: string;
  /** Of the {@link AuthState} in which the caller was looked at. */
  readonly authRevision: bigint;
}

/** Who asks for a command: a client's caller, or a member of its own accord. Without one, auth is disabled. */
export type Origin = Caller | "member";

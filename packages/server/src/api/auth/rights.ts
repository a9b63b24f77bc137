/** What one user may do, by the rules as they are at the moment of asking. */
import {
  type AuthState,
  type Caller,
  type Interval,
  isRoot,
  type Need,
  onlyKey,
  permits,
  toByteString,
} from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";

export class Rights {
  readonly #member: Pick<Member, "auth">;
  readonly #user: string | undefined;

  /** @param user undefined: nobody has said who asks */
  constructor(member: Pick<Member, "auth">, user: string | undefined) {
    this.#member = member;
    this.#user = user;
  }

  get auth(): AuthState {
    return this.#member.auth;
  }

  /** Whether there are no rules, so that everybody may do everything. */
  get areFree(): boolean {
    return !this.#member.auth.isEnabled;
  }

  get isRoot(): boolean {
    return this.areFree || (this.#user !== undefined && isRoot(this.auth, this.#user));
  }

  /** Throws a DkvError if there are rules, and nobody by that name. */
  caller(): Caller | undefined {
    const { auth } = this;
    if (!auth.isEnabled) return undefined;
    return { user: knownUser(auth, this.#user), authRevision: auth.revision };
  }

  /** Throws a DkvError. */
  needUser(): void {
    if (!this.areFree) knownUser(this.auth, this.#user);
  }

  /** Throws a DkvError. */
  needRoot(): void {
    if (this.areFree) return;
    if (!isRoot(this.auth, knownUser(this.auth, this.#user))) throw permissionDenied();
  }

  /** Throws a DkvError. */
  need(kind: Need["kind"], interval: Interval): void {
    if (!this.may(kind, interval)) throw permissionDenied();
  }

  /** Throws a DkvError. */
  needKeys(kind: Need["kind"], keys: readonly Uint8Array[]): void {
    for (const key of keys) this.need(kind, onlyKey(toByteString(key)));
  }

  /** Throws a DkvError if nobody asks at all. */
  may(kind: Need["kind"], interval: Interval): boolean {
    const { auth } = this;
    return !auth.isEnabled || permits(auth, knownUser(auth, this.#user), { kind, interval });
  }
}

function knownUser({ users }: AuthState, user: string | undefined): string {
  if (user === undefined) throw userMissing();
  // Who was deleted may do nothing, and so may whoever only has a certificate.
  if (!users.has(user)) throw permissionDenied();
  return user;
}

function userMissing(): DkvError {
  return new DkvError(
    "userEmpty",
    "the cluster serves users only: log in, with a name and a password, a token, or a client certificate",
  );
}

function permissionDenied(): DkvError {
  return new DkvError(
    "permissionDenied",
    "the user may not do this: whoever has the role root can grant a role that permits it",
  );
}

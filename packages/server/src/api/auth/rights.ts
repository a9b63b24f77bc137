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
import { type Asker, isStill } from "./asker.ts";

export class Rights {
  readonly #member: Pick<Member, "auth">;
  readonly #asker: Asker | undefined;

  /** @param asker undefined: nobody has said who asks */
  constructor(member: Pick<Member, "auth">, asker: Asker | undefined) {
    this.#member = member;
    this.#asker = asker;
  }

  get auth(): AuthState {
    return this.#member.auth;
  }

  /** Whether there are no rules, so that everybody may do everything. */
  get areFree(): boolean {
    return !this.#member.auth.isEnabled;
  }

  /** Throws a DkvError if there are rules, and nobody by that name. */
  caller(): Caller | undefined {
    const { auth } = this;
    if (!auth.isEnabled) return undefined;
    return { user: knownUser(auth, this.#asker), authRevision: auth.revision };
  }

  /** Throws a DkvError. */
  needUser(): void {
    if (!this.areFree) knownUser(this.auth, this.#asker);
  }

  /** Throws a DkvError. */
  needRoot(): void {
    if (this.areFree) return;
    if (!isRoot(this.auth, knownUser(this.auth, this.#asker)))
      throw new DkvError("permissionDenied", "only a user with the role root may do this");
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
    return !auth.isEnabled || permits(auth, knownUser(auth, this.#asker), { kind, interval });
  }
}

function knownUser({ users }: AuthState, asker: Asker | undefined): string {
  if (asker === undefined)
    throw new DkvError(
      "userEmpty",
      "authentication is enabled: say who you are, with a name and a password, a token, or a certificate",
    );
  const user = users.get(asker.name);
  // It was deleted, or nobody but a certificate ever had that name.
  if (user === undefined) throw new DkvError("permissionDenied", "there is no user with that name");
  if (!isStill(asker, user))
    throw new DkvError(
      "invalidAuthToken",
      "the password has changed since you logged in, or the user has: log in again",
    );
  return user.name;
}

export function permissionDenied(): DkvError {
  return new DkvError(
    "permissionDenied",
    "the user may not do this: whoever has the role root can grant a role that permits it",
  );
}

/** Finds out who asks, and whether they may ask for that at all. */
import { createHmac } from "node:crypto";
import { isRoot } from "@dkv/store";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import type { RequestFields } from "../request-fields.ts";
import { type Credentials, credentialsIn } from "./credentials.ts";
import { GuardedMember } from "./guarded-member.ts";
import type { Passwords } from "./passwords.ts";
import { type Policy, policyOf } from "./policies.ts";
import { remember, type Tokens } from "./tokens.ts";

export interface GuardDeps {
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  /** Nobody can guess it; it need not be the same tomorrow. */
  readonly secret: Buffer;
}

/** Somebody's name; undefined if nobody has said who asks. */
export type Asker = string | undefined;

export class Guard {
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  /** As it is: only for what is to be done for everybody. */
  readonly member: Member;
  readonly #secret: Buffer;
  /** Hashes of passwords that were right, by what a keyed hash makes of name and password. */
  readonly #proven = new Map<string, Uint8Array>();

  constructor(member: Member, { passwords, tokens, secret }: GuardDeps) {
    this.member = member;
    this.passwords = passwords;
    this.tokens = tokens;
    this.#secret = secret;
  }

  /** Whether there are rules. */
  get isOn(): boolean {
    return this.member.auth.isEnabled;
  }

  /** The member as somebody sees it. */
  viewOf(asker: Asker): Member {
    return new GuardedMember(this.member, asker);
  }

  /**
   * Who asks, if they may; at once where that is known. Throws, or rejects with, a DkvError.
   *
   * @param path of what is asked for
   */
  admit(path: string, fields: RequestFields): Asker | Promise<Asker> {
    const policy = policyOf(path);
    if (policy === "anybody") return undefined;
    const asker = this.#askerOf(credentialsIn(fields));
    return asker instanceof Promise
      ? asker.then((found) => this.#admitted(found, policy))
      : this.#admitted(asker, policy);
  }

  #admitted(asker: Asker, policy: Exclude<Policy, "anybody">): string {
    const { auth } = this.member;
    if (asker === undefined)
      throw new DkvError(
        "userEmpty",
        "authentication is enabled: say who you are, with a name and a password, a token, or a certificate",
      );
    if (!auth.users.has(asker)) throw new DkvError("permissionDenied", "there is no user with that name");
    if (policy === "root" && !isRoot(auth, asker))
      throw new DkvError("permissionDenied", "only a user with the role root may do this");
    return asker;
  }

  #askerOf(credentials: Credentials): Asker | Promise<Asker> {
    switch (credentials.kind) {
      case "none":
        return undefined;
      case "certificate":
        return credentials.name;
      case "password":
        return this.#proved(credentials);
      case "token": {
        const holder = this.tokens.holderOf(credentials.token, this.member.auth.users);
        return holder instanceof Promise ? holder.then((found) => this.#held(found)) : this.#held(holder);
      }
    }
  }

  #held(holder: Awaited<ReturnType<Tokens["holderOf"]>>): string {
    if (holder === undefined)
      throw new DkvError("invalidAuthToken", "the token is not good, or not any more: log in again");
    const { user, authRevision = this.member.auth.revision } = holder;
    if (authRevision < this.member.auth.revision)
      throw new DkvError(
        "authRevisionOld",
        "who may do what has changed since the token was made: log in again",
      );
    return user;
  }

  /** Rejects with a DkvError. */
  async #proved({ name, password }: Extract<Credentials, { kind: "password" }>): Promise<string> {
    const user = this.member.auth.users.get(name);
    const hash = user?.noPassword === true ? undefined : user?.passwordHash;
    const proof = createHmac("sha256", this.#secret)
      .update(JSON.stringify([name, password]))
      .digest("base64");
    const proven = this.#proven.get(proof);
    if (hash !== undefined && proven !== undefined && Buffer.compare(hash, proven) === 0) return name;
    this.#proven.delete(proof);
    const isRight = await this.passwords.matches(password, hash);
    if (!isRight || hash === undefined) throw wrongPassword();
    remember(this.#proven, proof, hash);
    return name;
  }
}

/** Does not tell which of both was wrong. */
export function wrongPassword(): DkvError {
  return new DkvError("authFailed", "the name or the password is wrong");
}

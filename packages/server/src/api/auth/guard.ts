/** Finds out who asks, and whether they may ask for that at all. */
import { createHmac } from "node:crypto";
import type { Member } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";
import type { RequestFields } from "../request-fields.ts";
import { type Asker, isSameHash } from "./asker.ts";
import { type Credentials, credentialsIn } from "./credentials.ts";
import { GuardedMember } from "./guarded-member.ts";
import type { Passwords } from "./passwords.ts";
import { type Policy, policyOf } from "./policies.ts";
import { Rights } from "./rights.ts";
import { remember, type Tokens } from "./tokens.ts";

export interface GuardDeps {
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  /** Nobody can guess it; it need not be the same tomorrow. */
  readonly secret: Buffer;
}

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

  /** The member as somebody sees it. @param asker undefined: nobody has said who asks */
  viewOf(asker: Asker | undefined): Member {
    return new GuardedMember(this.member, asker);
  }

  /**
   * Who asks, if they may; undefined if that is nobody's business. At once where it is known. Throws, or
   * rejects with, a DkvError.
   *
   * @param path of what is asked for
   */
  admit(path: string, fields: RequestFields): Asker | undefined | Promise<Asker> {
    const policy = policyOf(path);
    if (policy === "anybody") return undefined;
    const asker = this.#askerOf(credentialsIn(fields));
    return asker instanceof Promise
      ? asker.then((found) => this.#admitted(found, policy))
      : this.#admitted(asker, policy);
  }

  #admitted<Found extends Asker | undefined>(asker: Found, policy: Exclude<Policy, "anybody">): Found {
    const rights = new Rights(this.member, asker);
    if (policy === "root") rights.needRoot();
    else rights.needUser();
    return asker;
  }

  #askerOf(credentials: Credentials): Asker | undefined | Promise<Asker> {
    switch (credentials.kind) {
      case "none":
        return undefined;
      case "certificate":
        return { name: credentials.name, passwordHash: undefined };
      case "password":
        return this.#proved(credentials);
      case "token": {
        const holder = this.tokens.holderOf(credentials.token, this.member.auth.users);
        return holder instanceof Promise ? holder.then((found) => this.#held(found)) : this.#held(holder);
      }
    }
  }

  #held(holder: Awaited<ReturnType<Tokens["holderOf"]>>): Asker {
    const { auth } = this.member;
    const user = holder && auth.users.get(holder.user);
    if (user === undefined)
      throw new DkvError("invalidAuthToken", "the token is not good, or not any more: log in again");
    if (holder?.authRevision !== undefined && holder.authRevision < auth.revision)
      throw new DkvError(
        "authRevisionOld",
        "who may do what has changed since the token was made: log in again",
      );
    return user;
  }

  /** Rejects with a DkvError. */
  async #proved({ name, password }: Extract<Credentials, { kind: "password" }>): Promise<Asker> {
    const user = this.member.auth.users.get(name);
    const passwordHash = user?.noPassword === true ? undefined : user?.passwordHash;
    const proof = createHmac("sha256", this.#secret)
      .update(JSON.stringify([name, password]))
      .digest("base64");
    const proven = this.#proven.get(proof);
    if (passwordHash !== undefined && proven !== undefined && isSameHash(passwordHash, proven))
      return { name, passwordHash };
    this.#proven.delete(proof);
    const isRight = await this.passwords.matches(password, passwordHash);
    if (!isRight || passwordHash === undefined) throw wrongPassword();
    remember(this.#proven, proof, passwordHash);
    return { name, passwordHash };
  }
}

/** Does not tell which of both was wrong. */
export function wrongPassword(): DkvError {
  return new DkvError("authFailed", "the name or the password is wrong");
}

/** What stands for a password that was given once. */
import type { User } from "@dkv/store";

/** Whom a token names. */
export interface TokenHolder {
  readonly user: string;
  /** Of the rules when it was made; undefined: it holds for whatever rules there are. */
  readonly authRevision: bigint | undefined;
}

export interface Tokens {
  /**
   * For a user who has given the right password. Rejects with a DkvError.
   *
   * @param authRevision of the rules at that time
   */
  issue(user: User, authRevision: bigint): Promise<string>;
  /**
   * Undefined if it was not issued by a member of this cluster, or is not good any more. At once where it is
   * known.
   *
   * @param users who there is now
   */
  holderOf(
    token: string,
    users: ReadonlyMap<string, User>,
  ): TokenHolder | undefined | Promise<TokenHolder | undefined>;
}

/** Tokens that were looked at; in most cases all that are in use. */
export const mostRemembered = 50_000;

/** Makes room where it takes some. */
export function remember<Value>(known: Map<string, Value>, token: string, value: Value): void {
  const [oldest] = known.size >= mostRemembered ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  known.set(token, value);
}

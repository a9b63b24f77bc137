/**
 * Tokens that every member can check without asking another, from the moment at which they are made.
 *
 *   TOKEN = PAYLOAD "." HMAC-SHA-256(PAYLOAD)    both base64url
 *   PAYLOAD = when it was made (8 bytes, ms since 1970), chance (8), name of the user (UTF-8)
 *
 * The key is made of the cluster's id and of the hash of the user's password, which only members know. So a
 * token ends with the password, or the user. It is good for some time after it was made; a member that it is
 * used on goes on taking it as long as it is used, as etcd does.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { User } from "@dkv/store";
import type { Clock } from "../../platform/clock.ts";
import { DkvError } from "../../platform/errors.ts";
import type { Random } from "../../platform/random.ts";
import type { TimeOfDay } from "../../platform/time-of-day.ts";
import { isSameHash } from "./asker.ts";
import { remember, type TokenHolder, type Tokens } from "./tokens.ts";

export interface SimpleTokenOptions {
  readonly ttlMs: number;
  readonly clusterId: () => bigint;
}

export interface SimpleTokenDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly timeOfDay: TimeOfDay;
  readonly random: Pick<Random, "name">;
}

interface Known {
  readonly user: string;
  readonly passwordHash: Uint8Array;
  /** By the clock that never goes back. */
  expiresMs: number;
}

const headBytes = 16;

/** No name of a user is as long. */
const mostCharacters = 4096;

export class SimpleTokens implements Tokens {
  readonly #options: SimpleTokenOptions;
  readonly #deps: SimpleTokenDeps;
  readonly #known = new Map<string, Known>();

  constructor(options: SimpleTokenOptions, deps: SimpleTokenDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  issue(user: User): Promise<string> {
    if (user.passwordHash.length === 0)
      return Promise.reject(new DkvError("authFailed", "the user has no password"));
    const head = Buffer.alloc(headBytes);
    head.writeBigUInt64BE(BigInt(this.#deps.timeOfDay.nowMs()), 0);
    head.writeBigUInt64BE(this.#deps.random.name(), 8);
    const payload = Buffer.concat([head, Buffer.from(user.name)]);
    return Promise.resolve(this.#sealed(payload, user));
  }

  holderOf(token: string, users: ReadonlyMap<string, User>): TokenHolder | undefined {
    const nowMs = this.#deps.clock.nowMs();
    const known = this.#known.get(token) ?? this.#read(token, users);
    if (known === undefined) return undefined;
    const user = users.get(known.user);
    if (
      known.expiresMs <= nowMs ||
      user === undefined ||
      !isSameHash(user.passwordHash, known.passwordHash)
    ) {
      this.#known.delete(token);
      return undefined;
    }
    known.expiresMs = nowMs + this.#options.ttlMs;
    return { user: known.user, authRevision: undefined };
  }

  /** One that was not used here before. */
  #read(token: string, users: ReadonlyMap<string, User>): Known | undefined {
    if (token.length > mostCharacters) return undefined;
    const [text = ""] = token.split(".");
    const payload = Buffer.from(text, "base64url");
    if (payload.length <= headBytes) return undefined;
    const user = users.get(payload.toString("utf8", headBytes));
    if (user === undefined || user.passwordHash.length === 0) return undefined;
    // The whole text: base64 is read with much in it that it has not, and each such text would be remembered.
    const expected = Buffer.from(this.#sealed(payload, user));
    const given = Buffer.from(token);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const leftMs = this.#leftMs(Number(payload.readBigUInt64BE(0)));
    if (leftMs <= 0) return undefined;
    const { name, passwordHash } = user;
    const known = { user: name, passwordHash, expiresMs: this.#deps.clock.nowMs() + leftMs };
    remember(this.#known, token, known);
    return known;
  }

  /** Of the time of one that was made then, perhaps by a member whose clock goes ahead. */
  #leftMs(madeMs: number): number {
    const { ttlMs } = this.#options;
    const ageMs = this.#deps.timeOfDay.nowMs() - madeMs;
    return ageMs < -ttlMs ? 0 : Math.min(ttlMs, ttlMs - ageMs);
  }

  #sealed(payload: Buffer, { passwordHash }: User): string {
    const key = createHmac("sha256", passwordHash)
      .update(`dkv simple token ${String(this.#options.clusterId())}`)
      .digest();
    const mac = createHmac("sha256", key).update(payload).digest("base64url");
    return `${payload.toString("base64url")}.${mac}`;
  }
}

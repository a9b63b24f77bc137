import type { Member } from "../../consensus/member.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import type { TimeOfDay } from "../../platform/time-of-day.ts";
import { Guard } from "./guard.ts";
import { type JwtOptions, JwtTokens, readJwtKeys } from "./jwt-tokens.ts";
import { createPasswords } from "./passwords.ts";
import { SimpleTokens } from "./simple-tokens.ts";
import type { Tokens } from "./tokens.ts";

export interface GuardOptions {
  /** Of hashes of passwords. */
  readonly bcryptCost: number;
  readonly token:
    | { readonly kind: "simple"; readonly ttlMs: number }
    | ({ readonly kind: "jwt" } & JwtOptions);
}

export interface CreateGuardDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly timeOfDay: TimeOfDay;
}

/** As etcd has them. */
export const defaultGuardOptions: GuardOptions = {
  bcryptCost: 10,
  token: { kind: "simple", ttlMs: 300_000 },
};

/** For all doors of a member. Throws a StartupError if a key for tokens cannot be used. */
export function createGuard(
  member: Member,
  { bcryptCost, token }: GuardOptions,
  deps: CreateGuardDeps,
): Guard {
  const tokens: Tokens =
    token.kind === "jwt"
      ? new JwtTokens(token, readJwtKeys(token), deps.timeOfDay)
      : new SimpleTokens({ ttlMs: token.ttlMs, clusterId: () => member.status().clusterId }, deps);
  return new Guard(member, { passwords: createPasswords(bcryptCost), tokens, secret: secretOf(deps.random) });
}

function secretOf(random: Random): Buffer {
  const secret = Buffer.alloc(32);
  for (let at = 0; at < secret.length; at += 8) secret.writeBigUInt64BE(random.name(), at);
  return secret;
}

/**
 * JSON Web Tokens with the claims that etcd's have: `username`, `revision` of the rules, and `exp`; those of
 * others may have an `nbf`. They are good on every member that has the key, until their time is over or a rule
 * changes: then their holders get new ones.
 */
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { CompactSign, compactVerify } from "jose";
import type { User } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";
import { StartupError } from "../../platform/startup-error.ts";
import type { TimeOfDay } from "../../platform/time-of-day.ts";
import { whyUnreadable } from "../../platform/unreadable.ts";
import { remember, type TokenHolder, type Tokens } from "./tokens.ts";

export interface JwtOptions {
  /** As RFC 7518 §3.1 and RFC 8037 §3.1 call it. */
  readonly method: string;
  /** PEM. Undefined: what is private is enough to check by. */
  readonly publicKeyFile: string | undefined;
  /** PEM; with HMAC what all members share, as it stands. Undefined: no token is made here. */
  readonly privateKeyFile: string | undefined;
  readonly ttlMs: number;
}

export interface JwtKeys {
  readonly signing: KeyObject | undefined;
  readonly checking: KeyObject;
}

interface Claims extends TokenHolder {
  readonly authRevision: bigint;
  /** Seconds since 1970. */
  readonly begins: number;
  readonly expires: number;
}

/** What is shared is to be as hard to guess as what it makes. */
const leastSecretBytes = 32;

const mostCharacters = 8192;

/** Throws a StartupError that says which file is wrong. */
export function readJwtKeys({ method, publicKeyFile, privateKeyFile }: JwtOptions): JwtKeys {
  const signing = privateKeyFile === undefined ? undefined : readKey(privateKeyFile, method, "private");
  const checking =
    publicKeyFile === undefined || method.startsWith("HS")
      ? undefined
      : readKey(publicKeyFile, method, "public");
  if (checking !== undefined) return { signing, checking };
  if (signing === undefined) throw new StartupError("usage", "--auth-token jwt needs a key");
  return { signing, checking: signing.type === "secret" ? signing : createPublicKey(signing) };
}

export class JwtTokens implements Tokens {
  readonly #options: JwtOptions;
  readonly #keys: JwtKeys;
  readonly #timeOfDay: TimeOfDay;
  readonly #known = new Map<string, Claims>();

  constructor(options: JwtOptions, keys: JwtKeys, timeOfDay: TimeOfDay) {
    this.#options = options;
    this.#keys = keys;
    this.#timeOfDay = timeOfDay;
  }

  async issue({ name }: User, authRevision: bigint): Promise<string> {
    const { method: alg, ttlMs } = this.#options;
    const { signing } = this.#keys;
    if (signing === undefined)
      throw new DkvError("authFailed", "this cluster only checks tokens: --auth-token names no priv-key");
    const exp = Math.floor((this.#timeOfDay.nowMs() + ttlMs) / 1000);
    const claims = JSON.stringify({ username: name, revision: Number(authRevision), exp });
    return new CompactSign(Buffer.from(claims)).setProtectedHeader({ alg, typ: "JWT" }).sign(signing);
  }

  holderOf(
    token: string,
    users: ReadonlyMap<string, User>,
  ): TokenHolder | undefined | Promise<TokenHolder | undefined> {
    const known = this.#known.get(token);
    return known === undefined
      ? this.#read(token).then((claims) => this.#ifGood(token, claims, users))
      : this.#ifGood(token, known, users);
  }

  #ifGood(
    token: string,
    claims: Claims | undefined,
    users: ReadonlyMap<string, User>,
  ): TokenHolder | undefined {
    if (claims === undefined) return undefined;
    const seconds = this.#timeOfDay.nowMs() / 1000;
    if (seconds >= claims.expires) {
      this.#known.delete(token);
      return undefined;
    }
    return seconds >= claims.begins && users.has(claims.user) ? claims : undefined;
  }

  async #read(token: string): Promise<Claims | undefined> {
    if (token.length > mostCharacters) return undefined;
    try {
      const { payload } = await compactVerify(token, this.#keys.checking, {
        algorithms: [this.#options.method],
      });
      const claims = claimsIn(Buffer.from(payload).toString());
      if (claims !== undefined) remember(this.#known, token, claims);
      return claims;
    } catch {
      // Whatever is wrong with it, it is nobody's.
      return undefined;
    }
  }
}

function claimsIn(json: string): Claims | undefined {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null) return undefined;
  const { username, revision, exp, nbf = 0 } = value as Readonly<Record<string, unknown>>;
  if (typeof username !== "string" || !Number.isSafeInteger(revision)) return undefined;
  if (typeof exp !== "number" || typeof nbf !== "number") return undefined;
  return { user: username, authRevision: BigInt(Number(revision)), begins: nbf, expires: exp };
}

function readKey(file: string, method: string, kind: "private" | "public"): KeyObject {
  const called = `--auth-token: ${kind === "private" ? "priv-key" : "pub-key"} ${file}`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new StartupError("environment", `${called} ${whyUnreadable(error)}`, { cause: error });
  }
  if (method.startsWith("HS")) return secret(bytes, called);
  let key: KeyObject;
  try {
    key = kind === "private" ? createPrivateKey(bytes) : createPublicKey(bytes);
  } catch (error) {
    throw new StartupError("environment", `${called} holds no ${kind} key in PEM form`, { cause: error });
  }
  if (!typesOf(method).includes(key.asymmetricKeyType ?? ""))
    throw new StartupError("environment", `${called} holds a key of another kind than ${method} takes`);
  return key;
}

function secret(bytes: Buffer, called: string): KeyObject {
  if (bytes.length >= leastSecretBytes) return createSecretKey(bytes);
  throw new StartupError(
    "environment",
    `${called} has ${String(bytes.length)} bytes: write at least ${String(leastSecretBytes)} that nobody can guess`,
  );
}

/** Of keys that a method takes, as Node calls them. */
function typesOf(method: string): readonly string[] {
  if (method.startsWith("ES")) return ["ec"];
  if (method === "EdDSA") return ["ed25519"];
  return method.startsWith("PS") ? ["rsa", "rsa-pss"] : ["rsa"];
}

/** How passwords are kept, and what who gives one gets for it. */
import { secondsOf, usage, type ValueReader } from "./value-reader.ts";

export interface AuthConfig {
  readonly bcryptCost: number;
  readonly token: TokenConfig;
}

export type TokenConfig =
  /** Good for so long after its last use. */
  { readonly kind: "simple"; readonly ttlMs: number } | JwtConfig;

export interface JwtConfig {
  readonly kind: "jwt";
  readonly method: JwtMethod;
  /** Undefined: what is private is enough to check by. */
  readonly publicKeyFile: string | undefined;
  /** Undefined: no token is made here, but those of others are good. */
  readonly privateKeyFile: string | undefined;
  /** Good for so long from the beginning. */
  readonly ttlMs: number;
}

/** Names of RFC 7518 §3.1 and RFC 8037 §3.1. */
export const jwtMethods = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "HS256",
  "HS384",
  "HS512",
] as const;

export type JwtMethod = (typeof jwtMethods)[number];

/** Those of bcrypt. */
const costs = { least: 4, most: 31 } as const;

const defaultJwtTtl = "5m";

const jwtSettings = ["sign-method", "pub-key", "priv-key", "ttl"] as const;

/** Throws a StartupError of kind `usage`. */
export function readAuth(reader: ValueReader): AuthConfig {
  return { bcryptCost: reader.count("bcrypt-cost", costs), token: readToken(reader) };
}

function readToken(reader: ValueReader): TokenConfig {
  const text = reader.required("auth-token");
  const [kind = "", ...settings] = text.split(",").map((part) => part.trim());
  const ttlMs = reader.seconds("auth-token-ttl");
  if (kind === "simple" && settings.length === 0) return { kind, ttlMs };
  if (kind === "jwt") return readJwt(settings);
  throw usage(`--auth-token is "${text}"; write simple, or jwt,sign-method=ES256,pub-key=FILE,priv-key=FILE`);
}

function readJwt(settings: readonly string[]): JwtConfig {
  const given = new Map(settings.map(readSetting));
  const method = jwtMethods.find((one) => one === given.get("sign-method"));
  if (method === undefined)
    throw usage(
      `--auth-token jwt has the sign-method "${given.get("sign-method") ?? ""}"; write one of ${jwtMethods.join(", ")}`,
    );
  const [publicKeyFile, privateKeyFile] = [given.get("pub-key"), given.get("priv-key")];
  if (method.startsWith("HS") && privateKeyFile === undefined)
    throw usage(`--auth-token jwt with ${method} needs priv-key=FILE, which holds what all members share`);
  if (privateKeyFile === undefined && publicKeyFile === undefined)
    throw usage(
      "--auth-token jwt needs priv-key=FILE to make tokens, or pub-key=FILE to check those of others",
    );
  const ttlMs = secondsOf(given.get("ttl") ?? defaultJwtTtl, "ttl of --auth-token");
  return { kind: "jwt", method, publicKeyFile, privateKeyFile, ttlMs };
}

function readSetting(setting: string): readonly [(typeof jwtSettings)[number], string] {
  const at = setting.indexOf("=");
  const name = jwtSettings.find((one) => one === setting.slice(0, Math.max(at, 0)));
  if (name === undefined || at === setting.length - 1)
    throw usage(
      `--auth-token jwt has "${setting}"; write ${jwtSettings.map((one) => `${one}=...`).join(", ")}`,
    );
  return [name, setting.slice(at + 1)];
}

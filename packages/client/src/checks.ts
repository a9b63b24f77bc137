/** What a caller passes, looked at before anything is sent: not every caller is checked by a compiler. */
import { isUint8Array } from "node:util/types";

import { badConfiguration, DkvClientError } from "./errors.ts";
import type { Keys, LeaseRef } from "./keys.ts";
import { type Names, names } from "./option-names.ts";
import type { User } from "./options.ts";
import { checkTls, type TlsOptions } from "./tls.ts";

/** What a timer can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

const mostOnTheWire = 2 ** 32 - 1;

/** @throws DkvClientError `bad_configuration` */
export function checkTimeout(timeoutMs: number): number {
  if (Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs <= longestTimeoutMs) return timeoutMs;
  throw badConfiguration(`a timeout of ${shown(timeoutMs)} ms is not between 1 and ${longestTimeoutMs} ms`);
}

/** @throws DkvClientError `bad_configuration` */
export function chooseTls(
  tls: TlsOptions | undefined,
  scheme: "http" | "https" | undefined,
): TlsOptions | undefined {
  if (tls === undefined) return scheme === "https" ? {} : undefined;
  const wrong = wrongOptions(tls, names.tls);
  if (wrong !== undefined) throw badConfiguration(`tls: ${wrong}`);
  if (scheme === "http")
    throw badConfiguration("TLS files are given and the endpoints say http://; write https:// or host:port");
  checkTls(tls);
  return tls;
}

/** @throws DkvClientError `bad_configuration` */
export function checkUser(user: User | undefined): User | undefined {
  if (user === undefined) return undefined;
  const wrong = wrongOptions(user, names.user);
  if (wrong !== undefined) throw badConfiguration(`user: ${wrong}`);
  for (const [what, given] of [
    ["name", user.name],
    ["password", user.password],
  ] as const) {
    const text: unknown = given;
    if (typeof text !== "string" || !text.isWellFormed())
      throw badConfiguration(`the ${what} of the user is no text`);
  }
  if (user.name === "" || user.name.includes(":"))
    throw badConfiguration("the name of the user is empty, or has a colon in it: write another one");
  return user;
}

/** What is wrong with options that have a name which is none; undefined if nothing is. */
export function wrongOptions<Options>(options: Options, known: Names<Options>): string | undefined {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) return `the options are ${shown(given)}: give an object`;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return undefined;
  return `there is no option "${unknown}" here: there are ${Object.keys(known).join(", ")}`;
}

/** A condition that is misspelt would be none. @throws DkvClientError `invalid_request` */
export function checkOptions<Options>(options: Options, known: Names<Options>): Options {
  const wrong = wrongOptions(options, known);
  if (wrong !== undefined) throw invalid(wrong);
  return options;
}

/**
 * Text that is not well-formed cannot be UTF-8: it would be sent as something else than was meant. @throws
 * DkvClientError `invalid_request`, as all below
 */
export function checkText(what: string, text: unknown): string {
  if (typeof text !== "string") throw invalid(`the ${what} is ${shown(text)}: give text`);
  if (text.isWellFormed()) return text;
  throw invalid(`the ${what} is not well-formed Unicode (it has half of a surrogate pair)`);
}

/** Text as UTF-8, bytes as they are. */
export function valueBytes(value: unknown): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(checkText("value", value)) : checkBytes(value);
}

export function checkBytes(value: unknown): Uint8Array {
  if (isUint8Array(value)) return value;
  throw invalid(`the value is ${shown(value)}: give text or a Uint8Array`);
}

/** A misspelt name of a field would mean all keys. */
export function checkKeys(keys: Keys): Keys {
  const given: unknown = keys;
  if (typeof given !== "object" || given === null)
    throw invalid(
      `the keys are ${shown(given)}: write { key: "a" }, { prefix: "a/" } or { from: "a", before: "b" }`,
    );
  if ("key" in keys) checkText("key", keys.key);
  else if ("prefix" in keys) checkText("prefix", keys.prefix);
  else
    for (const [name, text] of Object.entries(keys)) {
      if (name !== "from" && name !== "before")
        throw invalid(`the keys have a field "${name}": there are key, prefix, from and before`);
      if (text !== undefined) checkText(`key "${name}"`, text);
    }
  return keys;
}

/** A revision, a version, a limit: 0 if it is not given. */
export function checkCount(what: string, count = 0): number {
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw invalid(`the ${what} is ${shown(count)}: give a whole number from 0`);
}

/** Most keys of an answer: what its field on the wire can hold. 0, for as many as there are, if it is not given. */
export function checkLimit(limit = 0): number {
  if (checkCount("limit", limit) <= mostOnTheWire) return limit;
  throw invalid(`the limit is ${limit}: give at most ${mostOnTheWire}, or 0 for none`);
}

export function checkCountIfGiven(what: string, count: number | undefined): number | undefined {
  return count === undefined ? undefined : checkCount(what, count);
}

/** Seconds, at least one; 0 if it is not given. */
export function checkTtl(ttlSeconds: number | undefined): number {
  if (ttlSeconds === undefined) return 0;
  if (checkCount("time to live in seconds", ttlSeconds) > 0) return ttlSeconds;
  throw invalid("the time to live is 0 seconds: give at least 1, or leave it out for none");
}

/** How long a key lives: with one of the two at most. Both are given if they are not zero. */
export function checkLife<Life extends { readonly ttlSeconds: number; readonly lease: bigint }>(
  life: Life,
): Life {
  if (life.ttlSeconds === 0 || life.lease === 0n) return life;
  throw invalid("ttlSeconds and lease are both given: a key has a time to live of its own, or a lease");
}

/** 0n if it is not given. */
export function checkLease(lease: LeaseRef = 0n): bigint {
  const id: unknown = typeof lease === "object" && lease !== null ? lease.id : lease;
  if (typeof id !== "bigint")
    throw invalid(`the lease is ${shown(id)}: give its ID as a bigint, or what has one as id`);
  if (BigInt.asIntN(64, id) === id) return id;
  throw invalid(`the lease ID ${id} does not fit into 64 bits`);
}

export function invalid(message: string): DkvClientError {
  return new DkvClientError({ code: "invalid_request", retry: "never" }, message);
}

/** For messages: what was given instead of what was wanted. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
    case "bigint":
      return `${value}n`;
    case "number":
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "null" : "an object of another kind";
    case "undefined":
      return "undefined";
    case "symbol":
    case "function":
      return `a ${typeof value}`;
  }
}

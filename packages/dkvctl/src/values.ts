/** What the flags and words of single commands mean. All throw Exit for what cannot be meant. */
import type { CommandRequest } from "./command-line.ts";
import { durationAdvice, parseDuration } from "./duration.ts";
import { usageError } from "./exit.ts";

type Values = Pick<CommandRequest, "values">;

/** The value of a flag that may be given once. */
export function textFlag({ values }: Values, flag: string): string | undefined {
  const given = values[flag];
  if (given === undefined || typeof given === "string") return given;
  throw usageError(`--${flag} is given more than once: give it once`);
}

/** A whole number from 0: a revision, a version, a line. */
export function countFlag(request: Values, flag: string): number | undefined {
  const text = textFlag(request, flag);
  return text === undefined ? undefined : parseCount(`--${flag}`, text);
}

/** Whole seconds of a duration. */
export function secondsFlag(request: Values, flag: string): number | undefined {
  const text = textFlag(request, flag);
  return text === undefined ? undefined : parseSeconds(`--${flag}`, text);
}

export function leaseFlag(request: Values, flag: string): bigint | undefined {
  const text = textFlag(request, flag);
  return text === undefined ? undefined : parseLease(`--${flag}`, text);
}

/** @param what names it in complaints, as all below */
export function parseCount(what: string, text: string): number {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(count)) return count;
  throw usageError(`${what} ${text} is no number: write a whole number from 0`);
}

export function parseSeconds(what: string, text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw usageError(`${what} ${text} is not a duration: ${durationAdvice}`);
  if (durationMs < 1000) throw usageError(`${what} ${text} is too short: write at least 1s`);
  if (durationMs % 1000 === 0) return durationMs / 1000;
  throw usageError(`${what} ${text} is not a number of whole seconds: write for example 30s or 1h`);
}

/** The ID that a new lease is to have; one that is chosen unless given. */
export function newLeaseFlag(request: Values, flag: string): bigint | undefined {
  const text = textFlag(request, flag);
  if (text === undefined) return undefined;
  const id = readLease(text);
  if (id !== undefined && id > 0n) return id;
  throw usageError(
    `--${flag} "${text}" can be no lease's ID: write a hexadecimal number from 1 to 7fffffffffffffff, ` +
      `or leave out --${flag} to have one chosen`,
  );
}

/** Refuses what cannot be meant together with how long a key lives and when it is set. */
export function checkSetFlags({ switches, values }: Pick<CommandRequest, "switches" | "values">): void {
  if (values["ttl"] !== undefined && values["lease"] !== undefined)
    throw usageError("--ttl and --lease are both given: a key has a time to live of its own, or a lease");
  const other = ["if-version", "if-rev"].find((flag) => values[flag] !== undefined);
  if (switches.has("if-absent") && other !== undefined)
    throw usageError(`--if-absent and --${other} are both given: give the one that is meant`);
}

/** Leases are named by hexadecimal numbers, as etcd names them. */
export function parseLease(what: string, text: string): bigint {
  const id = readLease(text);
  if (id !== undefined) return id;
  throw usageError(`${what} "${text}" is no lease: write its ID as dkvctl lease list prints it`);
}

function readLease(text: string): bigint | undefined {
  if (!/^(?:0x)?[\da-f]{1,16}$/i.test(text)) return undefined;
  const id = BigInt.asIntN(64, BigInt(`0x${text.replace(/^0x/i, "")}`));
  return id === 0n ? undefined : id;
}

/** A lease as it is printed and written. */
export const leaseText = (id: bigint): string => BigInt.asUintN(64, id).toString(16).padStart(16, "0");

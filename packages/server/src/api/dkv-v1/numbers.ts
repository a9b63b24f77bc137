/** Numbers of requests: 64 bits without a sign there, 63 or fewer in the store. */
import { maxTtlSeconds } from "../../consensus/member.ts";
import { DkvError } from "../../platform/errors.ts";

/** No revision and no version is ever so large. */
const largest = BigInt(Number.MAX_SAFE_INTEGER);

/** A number to compare with. What is larger than any there can be compares like the largest. */
export function compared(value: bigint): bigint {
  return value > largest ? largest : value;
}

/** The revision that a request names; 0 for none. One that can never be stays one to come. */
export function revisionOf(value: bigint): number {
  return Number(compared(value));
}

/**
 * The time to grant for the time that was asked for, in seconds. Less than the least is no fault: no client
 * can know how long an election takes here. Throws a DkvError for what is no time.
 */
export function grantedTtl(asked: bigint, least: bigint): bigint {
  if (asked <= 0n) throw new DkvError("invalidRequest", "ttl_seconds is not positive: write at least 1");
  if (asked > maxTtlSeconds)
    throw new DkvError("invalidRequest", `ttl_seconds is too large: write at most ${String(maxTtlSeconds)}`);
  return asked < least ? least : asked;
}

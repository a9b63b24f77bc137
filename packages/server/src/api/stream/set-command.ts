/** What the protocols that count a key's time in seconds ask of the store. */
import { type Operation, plainSet, plainSetIf } from "@dkv/store";
import { type LeaseKeeper, maxTtlSeconds as most } from "../../consensus/member.ts";

export const maxTtlSeconds = Number(most);

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Whole ones, at most {@link maxTtlSeconds}; 0 for a key that stays. */
  readonly ttlSeconds: number;
}

type Leases = Pick<LeaseKeeper, "newId">;
type Of<Case> = Extract<Operation, { case: Case }>;

/**
 * Sets a key with a lease of its own, if it is not to stay. What is given is granted, be it shorter than a
 * lease that is to be kept alive should be: nobody does that with this one.
 */
export function setOperation({ key, value, ttlSeconds }: Entry, leases: Leases): Of<"set"> {
  return { case: "set", value: timed(plainSet(key, value), ttlSeconds, leases) };
}

/**
 * As {@link setOperation}, of a key that is as it was.
 *
 * @param modRevision the revision at which it has to have been changed last; 0: it has to be missing
 */
export function setIfOperation(
  { key, value, ttlSeconds }: Entry,
  modRevision: number,
  leases: Leases,
): Of<"setIf"> {
  const plain = plainSetIf(key, value, BigInt(modRevision));
  return { case: "setIf", value: timed(plain, ttlSeconds, leases) };
}

function timed<Command extends Of<"set" | "setIf">["value"]>(
  command: Command,
  ttlSeconds: number,
  leases: Leases,
): Command {
  if (ttlSeconds === 0) return command;
  return { ...command, lease: leases.newId(), grantTtl: BigInt(ttlSeconds) };
}

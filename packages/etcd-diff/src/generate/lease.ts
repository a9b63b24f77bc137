/** Requests to leases. */
import type { Plain } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { fields, leaseId, sometimes } from "./words.ts";

/**
 * Seconds, so long that none of them ends by itself, and so different that two clocks bring the leases into
 * the same order.
 */
const times = [100_000, 1_000_000, 10_000_000, 9_000_000_000] as const;

/** Seconds that are raised to the least. */
const tooShort = [0, 1, -1, -5] as const;

export function leaseSteps(random: Random): readonly Step[] {
  return random.weighted<() => readonly Step[]>([
    [10, () => [grant(random, leaseId(random))]],
    [1, () => [{ call: "Lease/LeaseGrant", request: { TTL: random.pick(times) } }]],
    [1, () => [{ call: "Lease/LeaseGrant", request: { TTL: 9_000_000_001, ID: leaseId(random) } }]],
    [1, () => shortLived(random)],
    [4, () => [{ call: "Lease/LeaseRevoke", request: { ID: anyId(random) } }]],
    [6, () => [timeToLive(random)]],
    [3, () => [{ call: "Lease/LeaseLeases", request: {} }]],
    [3, () => [{ call: "Lease/LeaseKeepAlive", request: { ID: anyId(random) } }]],
  ])();
}

function grant(random: Random, id: number): Step {
  return { call: "Lease/LeaseGrant", request: { TTL: random.pick(times), ID: id } };
}

/** One that would end before its time is compared does not stay. */
function shortLived(random: Random): readonly Step[] {
  const ID = 77;
  return [
    { call: "Lease/LeaseGrant", request: { TTL: random.pick(tooShort), ID } },
    { call: "Lease/LeaseRevoke", request: { ID } },
  ];
}

function timeToLive(random: Random): Step {
  const request = fields({ ID: anyId(random), keys: sometimes(random, 0.6, () => true) });
  return { call: "Lease/LeaseTimeToLive", request };
}

/** Those that the server chose are never given to a key: keys are hashed with the ids of their leases. */
function anyId(random: Random): Plain {
  return random.weighted<() => Plain>([
    [12, () => leaseId(random)],
    [3, () => `chosen:${String(random.between(1, 4))}`],
    [1, () => random.pick([0, -1, 999])],
  ])();
}

import assert from "node:assert/strict";
import { it } from "node:test";
import type { Lease, LeaseId } from "@dkv/store";
import { Leases, type LeasesDeps } from "../../../src/consensus/leases/leases.ts";
import { systemClock } from "../../../src/platform/clock.ts";

const lease: Lease = { grantedTtl: 5n, remainingTtl: 0n, grantedIndex: 1 };

/** Whatever else leases need is not asked for an id. */
function leasesWith(names: bigint[], known: ReadonlyMap<LeaseId, Lease>): Leases {
  const unasked = (): never => assert.fail("that is not asked for an id");
  const deps: LeasesDeps = {
    node: { status: unasked },
    store: { lease: (id) => known.get(id) },
    driver: { until: unasked },
    requests: { ask: unasked },
    localReads: { lease: unasked, leases: unasked, keysOfLease: unasked },
    leaseClock: { times: undefined, renew: unasked },
    readBarrier: unasked,
    refusal: unasked,
    clock: systemClock,
    random: { name: () => names.shift() ?? assert.fail("no more are drawn") },
  };
  return new Leases({ electionTimeoutMs: 1000, requestTimeoutMs: 1000 }, deps);
}

it("an id that is chosen is positive, and no lease has it", () => {
  const drawn = [2n ** 63n, 7n, 2n ** 63n + 7n, 2n ** 64n - 1n, 8n];
  const leases = leasesWith(drawn, new Map([[7n, lease]]));
  assert.equal(leases.newId(), 2n ** 63n - 1n);
  assert.equal(leases.newId(), 8n);
});

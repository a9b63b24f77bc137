import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Deadlines, mostLookedAt, type Timed } from "../../../src/consensus/leases/deadlines.ts";

interface Lease extends Timed {
  readonly name: number;
  deadlineMs: number;
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), at: fc.nat(100) }),
  fc.record({ kind: fc.constant("remove" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("delay" as const), which: fc.nat(), by: fc.nat(50) }),
  fc.record({ kind: fc.constant("take" as const), nowMs: fc.nat(150), most: fc.integer({ min: 1, max: 3 }) }),
);

/** The queue as a plain list. */
function due(leases: readonly Lease[], nowMs: number): readonly number[] {
  return leases.filter(({ deadlineMs }) => deadlineMs <= nowMs).map(({ name }) => name);
}

describe("deadlines", () => {
  it("give out what is due, however it came there", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const deadlines = new Deadlines<Lease>();
        let leases: Lease[] = [];
        for (const [name, one] of steps.entries()) {
          if (one.kind === "add") {
            const lease = { name, deadlineMs: one.at, queuedMs: 0, place: -1 };
            leases.push(lease);
            deadlines.add(lease);
          } else if (one.kind === "take") {
            const expected = due(leases, one.nowMs);
            const taken = deadlines.takeDue(one.nowMs, one.most).map(({ name: taken }) => taken);
            assert.equal(taken.length, Math.min(one.most, expected.length));
            assert.ok(taken.every((each) => expected.includes(each)));
            leases = leases.filter((lease) => !taken.includes(lease.name));
          } else {
            const lease = leases[one.which % Math.max(1, leases.length)];
            if (lease === undefined) continue;
            if (one.kind === "delay") lease.deadlineMs += one.by;
            else {
              deadlines.remove(lease);
              deadlines.remove(lease);
              leases = leases.filter((other) => other !== lease);
            }
          }
          assert.equal(deadlines.size, leases.length);
        }
        const rest = deadlines.takeDue(1000, 1000).map(({ queuedMs }) => queuedMs);
        assert.deepEqual(
          rest,
          [...rest].sort((a, b) => a - b),
          "in order",
        );
        assert.equal(rest.length, leases.length);
      }),
    );
  });

  it("looks at so many at once, and finds what is due behind those that were given more time", () => {
    const deadlines = new Deadlines<Lease>();
    const leases = Array.from({ length: 2 * mostLookedAt }, (_, name) => ({
      name,
      deadlineMs: 60,
      queuedMs: 0,
      place: -1,
    }));
    for (const lease of leases) deadlines.add(lease);
    const [first, ...kept] = leases.toReversed();
    for (const lease of kept) lease.deadlineMs = 100;
    const moved = (): number => kept.filter(({ queuedMs }) => queuedMs === 100).length;
    const taken: Lease[] = [];
    for (let looks = 1; taken.length === 0; looks += 1) {
      taken.push(...deadlines.takeDue(60, 10));
      assert.ok(moved() <= looks * mostLookedAt);
    }
    assert.deepEqual(taken, [first]);
  });
});

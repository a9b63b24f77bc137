import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LeaseTimes } from "../../src/checkers/lease-times.ts";
import { Truth } from "../../src/checkers/truth.ts";

const second = 1_000_000;

/** Machines with clocks that a test sets; in each term the machine of that number leads. */
function stage() {
  const clocks = [0, 0, 0];
  const leaderOf = (term: number): number | undefined => (term < clocks.length ? term : undefined);
  const times = new LeaseTimes({ truth: new Truth(), readings: () => [...clocks], leaderOf });
  return { clocks, times };
}

describe("a lease", () => {
  it("may expire once the clock of who leads has counted all of its time", () => {
    const { clocks, times } = stage();
    times.promised(1n, 2n, times.now());
    clocks[1] = 2 * second;
    times.ended([1n], 1);
    assert.equal(times.expiries, 1);
  });

  it("is seen if it expires earlier, whatever other clocks say", () => {
    const { clocks, times } = stage();
    times.promised(1n, 2n, times.now());
    clocks[0] = 5 * second;
    clocks[1] = 2 * second - 1;
    assert.throws(() => times.ended([1n], 1), /lease 1 was to live for 2 s, .* had counted 2.000 s/);
  });

  it("is seen if it expires too early after it was kept alive", () => {
    const { clocks, times } = stage();
    times.promised(1n, 2n, times.now());
    clocks[1] = 1 * second;
    times.promised(1n, 2n, times.now());
    clocks[1] = 2 * second;
    assert.throws(() => times.ended([1n], 1), /lease 1/);
  });

  it("is seen if its holder is told that it was kept alive when it has expired", () => {
    const { clocks, times } = stage();
    times.promised(1n, 2n, times.now());
    clocks[1] = 2 * second;
    const asked = times.now();
    clocks[1] = 2.5 * second;
    times.ended([1n], 1);
    assert.throws(() => times.promised(1n, 2n, asked), /lease 1/);
  });

  it("may be ended by a machine that came later, and by nobody who never led", () => {
    const { clocks, times } = stage();
    times.promised(1n, 2n, times.now());
    clocks.push(0);
    times.ended([1n], 3);
    assert.throws(() => times.ended([2n], 9), /nobody led/);
  });
});

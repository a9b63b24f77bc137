import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type FaultKind, faultKinds, goTogether } from "../src/plan/faults.ts";
import { planRounds, type Round } from "../src/plan/plan.ts";

function firstRounds(
  seed: number,
  count: number,
  kinds: readonly FaultKind[] = faultKinds,
): readonly Round[] {
  const rounds = planRounds({ seed, kinds });
  return Array.from({ length: count }, () => rounds.next().value);
}

describe("the plan of faults", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepEqual(firstRounds(7, 200), firstRounds(7, 200));
    assert.notDeepEqual(firstRounds(7, 20), firstRounds(8, 20));
  });

  it("has every kind once before it is left to chance", () => {
    const kinds = firstRounds(3, faultKinds.length).map(({ faults }) => faults[0]?.kind);
    assert.deepEqual(new Set(kinds), new Set(faultKinds));
  });

  it("has one fault or two of different groups at a time, for some seconds each", () => {
    const rounds = firstRounds(5, 1_000);
    for (const { faults, lastsMs, restMs } of rounds) {
      const [first, second, ...more] = faults;
      assert.ok(first !== undefined && more.length === 0);
      assert.ok(second === undefined || goTogether(first.kind, second.kind));
      assert.ok(lastsMs >= 2_000 && lastsMs <= 8_000 && restMs >= 500);
    }
    assert.ok(rounds.some(({ faults }) => faults.length === 2));
  });

  it("never takes two disks away at once", () => {
    const takesDisk = new Set(["fullDisk", "damage", "replace"]);
    for (const { faults } of firstRounds(9, 1_000)) {
      assert.ok(faults.filter(({ kind }) => takesDisk.has(kind)).length <= 1);
    }
  });

  it("keeps to the kinds it is given", () => {
    for (const { faults } of firstRounds(1, 50, ["kill"])) {
      assert.deepEqual(
        faults.map(({ kind }) => kind),
        ["kill"],
      );
    }
  });
});

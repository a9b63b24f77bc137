import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { detailsOf, drawVictim } from "../../src/nemesis/scene.ts";
import { type FaultKind, faultKinds } from "../../src/plan/faults.ts";

const names = ["dkv-0", "dkv-1", "dkv-2"];
const details = ["flip", "log", "db"];

/** How often each victim met each detail, over many faults of a kind. */
function meetings(kind: FaultKind): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (let seed = 0; seed < 900; seed += 1) {
    const fault = { kind, strikesLeader: false, seed };
    const pair = `${drawVictim(fault, names)} ${detailsOf(fault).pick(details)}`;
    times.set(pair, (times.get(pair) ?? 0) + 1);
  }
  return times;
}

describe("the victim of a fault", () => {
  it("is the same for the same fault", () => {
    const fault = { kind: "damage", strikesLeader: false, seed: 7 } as const;
    assert.equal(drawVictim(fault, names), drawVictim(fault, names));
  });

  for (const kind of faultKinds) {
    it(`says nothing of the details: ${kind}`, () => {
      const times = meetings(kind);
      // A hundred of each is to be expected.
      for (const name of names) {
        for (const detail of details) {
          const met = times.get(`${name} ${detail}`) ?? 0;
          assert.ok(met > 50 && met < 160, `${name} met ${detail} ${String(met)} times of 900`);
        }
      }
    });
  }
});

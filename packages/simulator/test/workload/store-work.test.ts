import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Probe } from "../../src/world/probes.ts";
import { calmSwarm, simulate } from "../load.ts";

const everything = {
  registers: 3,
  lists: 3,
  leases: 3,
  locks: 3,
  watchers: 3,
  rules: 1,
  compactEveryMs: 500,
};

const owed: readonly Probe[] = [
  "an entry waited for the disk",
  "compare and swap",
  "interval deleted",
  "range of the past read",
  "transaction of many operations",
  "lists appended to",
  "lease kept alive",
  "lease revoked",
  "lease expired",
  "lock taken",
  "watch told of changes",
  "history given up",
  "rules changed",
  "caller refused",
];

describe("the work that is done with the store", () => {
  it("is done, and comes to an end, where nothing fails", async () => {
    const calm = calmSwarm(3, 15, 50);
    const { violation, probes } = await simulate({
      seed: 7,
      swarm: { ...calm, storeWork: everything },
      faults: [],
    });
    assert.equal(violation, undefined);
    for (const probe of owed) assert.ok(probes.count(probe) > 0, probe);
  });

  it("leaves a run as it is where there is none of it", async () => {
    const calm = calmSwarm(3, 3, 50);
    const { probes } = await simulate({ seed: 7, swarm: calm, faults: [] });
    for (const probe of owed) assert.equal(probes.count(probe), 0, probe);
  });
});

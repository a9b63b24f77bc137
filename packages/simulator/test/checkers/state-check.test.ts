import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { logIndex, nodeId } from "@dkv/raft";
import type { CheckReport } from "@dkv/server/consensus/member";
import { DkvError } from "@dkv/server/platform/errors";
import type { Hit } from "../../src/faults/apply.ts";
import { Life } from "../../src/world/life.ts";
import { Trace } from "../../src/world/trace.ts";
import { World } from "../../src/world/world.ts";
import { checkStates } from "../load.ts";

/** Asks a member that gives this answer, in a cluster with such disks. */
function asked(answer: () => Promise<CheckReport>, isDamaged = false): World {
  const world = new World(new Trace());
  const member = { life: new Life(world, 0), replica: { check: answer } };
  const cluster = { members: [member], machines: [{ platter: { isDamaged } }, { platter: undefined }] };
  checkStates({ cluster, world, fault: { targets: [0, 0] }, struck: () => undefined } as unknown as Hit);
  return world;
}

const report = (...verdicts: readonly CheckReport["members"][number]["verdict"][]): CheckReport => ({
  index: logIndex(7),
  hasMajority: true,
  members: verdicts.map((verdict, at) => ({
    id: nodeId(BigInt(at + 1)),
    name: `m${String(at + 1)}`,
    role: "voter",
    verdict,
  })),
});

describe("a check of all members' states", () => {
  it("may find that they agree, or that some do not answer", async () => {
    const world = asked(() => Promise.resolve(report("agrees", "agrees")));
    await world.run(10);
    assert.equal(world.probes.count("state check agreed"), 1);
    const silent = asked(() => Promise.resolve(report("agrees", "noAnswer")));
    await silent.run(10);
    assert.equal(silent.probes.count("state check agreed"), 0);
  });

  it("is a violation if it finds that one differs whose disk is sound", async () => {
    const differs = () => Promise.resolve(report("agrees", "agrees", "differs"));
    await assert.rejects(asked(differs).run(10), /a check at 7 says that m3 differs/);
    await asked(differs, true).run(10);
  });

  it("may be refused, and must not fail otherwise", async () => {
    await asked(() => Promise.reject(new DkvError("noLeader", "nobody leads"))).run(10);
    await assert.rejects(asked(() => Promise.reject(new RangeError("a mistake"))).run(10), /a mistake/);
  });
});

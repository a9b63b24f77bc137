/** Members of the version before, among newer ones and until they are upgraded. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeMembership, type Membership } from "@dkv/server/codec/membership-codec";
import type { FaultKind } from "../../src/faults/swarm.ts";
import { applyFaults, drawSwarm } from "../load.ts";
import { stageOf } from "../stage.ts";

type Stage = ReturnType<typeof stageOf>;

const second = 1_000_000;

/** As a committed configuration has it. */
function tableOf({ cluster }: Stage): Membership {
  const { configuration } = cluster.leader?.member?.node.status() ?? assert.fail("nobody leads");
  return decodeMembership(configuration.configuration.context);
}

const isNoted = (stage: Stage): readonly boolean[] =>
  tableOf(stage).rows.map(({ incarnation }) => incarnation !== 0n);

/** Hits that machine a moment from now. */
function hit(stage: Stage, kind: FaultKind, machine: number): void {
  const fault = { number: 0, kind, atUs: 1, forUs: second, hitsLeader: false, die: 1 };
  applyFaults([{ ...fault, targets: [machine, 0] }], stage);
}

const run = ({ world }: Stage, seconds: number): Promise<void> => world.run(world.nowUs + seconds * second);

describe("founders of the version before", () => {
  it("have directories without an incarnation, and nothing is noted where all are older", async () => {
    const stage = stageOf(3, { olderShare: 1 });
    await run(stage, 5);
    const { cluster, world } = stage;
    assert.deepEqual(
      cluster.members.map(({ storage }) => storage.identity.incarnation),
      [0n, 0n, 0n],
    );
    assert.deepEqual([isNoted(stage), tableOf(stage).history], [[false, false, false], 0n]);
    assert.equal(world.probes.count("older member led"), 1);
  });

  it("note nothing of newer ones, nor are noted by them, also once they are upgraded", async () => {
    const stage = stageOf(3, { olderShare: 0.4 });
    const { cluster, world } = stage;
    assert.deepEqual(
      cluster.machines.map(({ isOlder }) => isOlder),
      [true, true, false],
    );
    await run(stage, 5);
    hit(stage, "transfer", 0);
    await run(stage, 5);
    assert.equal(cluster.leader, cluster.machines[0]);
    assert.deepEqual(isNoted(stage), [false, false, false]);
    hit(stage, "upgrade", 0);
    await run(stage, 10);
    assert.deepEqual(
      cluster.machines.map(({ isOlder, isUp }) => [isOlder, isUp]),
      [
        [false, true],
        [false, true],
        [false, true],
      ],
    );
    assert.equal(world.probes.count("upgraded while others were older"), 1);
    assert.deepEqual(isNoted(stage), [false, false, true]);
    assert.notEqual(tableOf(stage).history, 0n);
  });

  it("are followed by newer ones that join, and are upgraded only while things fail", async () => {
    const stage = stageOf(3, { olderShare: 1, seconds: 1 });
    const { cluster } = stage;
    assert.equal(cluster.join().isOlder, false);
    await run(stage, 2);
    hit(stage, "upgrade", 0);
    await run(stage, 5);
    assert.ok(cluster.machines.slice(0, 3).every(({ isOlder }) => isOlder));
  });
});

describe("a newer member's disk", () => {
  it("is not lost where somebody would let it vote once more", async () => {
    for (const [olderShare, isWiped] of [
      [0.2, false],
      [0, true],
    ] as const) {
      const stage = stageOf(3, { olderShare });
      await run(stage, 10);
      hit(stage, "wipe", 2);
      await run(stage, 5);
      assert.equal(stage.cluster.machines[2]?.isWiped, isWiped);
    }
  });
});

describe("which versions a run has", () => {
  it("is mixed in about a third of all", () => {
    const drawn = Array.from({ length: 200 }, (_, at) => drawSwarm(at + 1).olderShare);
    assert.deepEqual(new Set(drawn), new Set([0, 0.5]));
    const mixed = drawn.filter((share) => share > 0).length;
    assert.ok(40 < mixed && mixed < 100, String(mixed));
  });
});

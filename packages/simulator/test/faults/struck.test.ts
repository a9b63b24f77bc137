/** Faults say whether they found anything that they could harm, and harm nothing once all is healed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fault } from "../../src/faults/schedule.ts";
import type { Hit } from "../../src/faults/apply.ts";
import { later } from "../../src/faults/later.ts";
import type { FaultKind } from "../../src/faults/swarm.ts";
import { applyFaults, failureReport, heal, simulate, SoakSummary } from "../load.ts";
import { stageOf } from "../stage.ts";

type Stage = ReturnType<typeof stageOf>;

const second = 1_000_000;

const faultOf = (kind: FaultKind, more: Partial<Fault> = {}): Fault => ({
  number: 7,
  kind,
  atUs: 1,
  forUs: second,
  hitsLeader: false,
  die: 6,
  targets: [0, 1],
  ...more,
});

const run = ({ world }: Stage, seconds: number): Promise<void> => world.run(world.nowUs + seconds * second);

describe("a fault", () => {
  it("has not struck a machine that is down", async () => {
    for (const kind of [
      "kill",
      "powerLoss",
      "pause",
      "clockJump",
      "killInWrite",
      "hungDisk",
      "slowDisk",
      "cut",
    ] as const)
      for (const isUp of [true, false]) {
        const stage = stageOf(3);
        await run(stage, 5);
        if (!isUp) stage.cluster.machines[0]?.crash({ power: false });
        const struck = applyFaults([faultOf(kind, { die: 5 })], stage);
        await run(stage, 1);
        assert.deepEqual([...struck], isUp ? [7] : [], kind);
        if (kind === "clockJump") assert.equal(stage.world.probes.count("clock jumped"), isUp ? 1 : 0);
      }
  });

  it("has not struck where there is nobody else", async () => {
    for (const kind of ["partition", "oneWay", "bridge", "slowLink", "flap"] as const) {
      const stage = stageOf(1);
      await run(stage, 5);
      const struck = applyFaults([faultOf(kind)], stage);
      await run(stage, 2);
      assert.deepEqual([...struck], [], kind);
    }
  });

  it("makes a disk hang, and a reserve low, only where somebody uses them", async () => {
    for (const isUp of [true, false]) {
      const stage = stageOf(3);
      await run(stage, 5);
      if (!isUp) stage.cluster.machines[0]?.crash({ power: false });
      applyFaults([faultOf("hungDisk"), faultOf("fullDisk", { die: 1 })], stage);
      await run(stage, 0.5);
      const { probes } = stage.world;
      assert.deepEqual(
        [probes.count("disk hung") > 0, probes.count("disk reserve low")],
        isUp ? [true, 1] : [false, 0],
      );
    }
  });

  it("is counted as planned, and as one that struck", async () => {
    const faults = [faultOf("kill", { number: 0 }), faultOf("kill", { number: 1, atUs: 2 })];
    const outcome = await simulate({ seed: 42, faults });
    assert.deepEqual([...outcome.struck], [0]);
    const summary = new SoakSummary();
    summary.add(outcome);
    const line = summary.lines(1000).find((each) => each.startsWith("faults "));
    assert.match(line ?? "", / kill 1 of 2, powerLoss 0 of 0,/);
  });

  it("is shown with the machine that it hits", async () => {
    const outcome = await simulate({
      seed: 42,
      faults: [faultOf("kill", { targets: [1, 0], atUs: second })],
    });
    const lines = failureReport(outcome, 1);
    assert.ok(
      lines.includes("#7 1.000 s: kill for 1.00 s, m2 as long as nobody has joined"),
      lines.join("\n"),
    );
  });
});

describe("after all was healed", () => {
  it("nothing that waited strikes", async () => {
    // The leader would be killed, and the link cut and blocked, some time after the end.
    for (const [kind, atUs] of [
      ["coup", 4.95 * second],
      ["flap", 3 * second],
    ] as const) {
      const stage = stageOf(3, { seconds: 5 });
      const { cluster, network, world } = stage;
      const seen = () => [
        ...cluster.machines.map(({ life }) => life),
        ...cluster.machines.flatMap((a) =>
          cluster.machines.flatMap((b) => network.between(a.index, b.index)),
        ),
      ];
      const struck = applyFaults([faultOf(kind, { atUs, die: 299_999, forUs: 7 * second })], stage);
      await world.run(5 * second);
      heal(stage);
      const before = seen();
      await run(stage, 6);
      assert.ok(before.length > 6 && seen().every((each) => before.includes(each)), kind);
      assert.deepEqual([...struck], kind === "coup" ? [] : [7]);
    }
  });

  it("nothing comes later", async () => {
    const stage = stageOf(1, { seconds: 2 });
    const happened: number[] = [];
    for (const at of [1, 3])
      later({ ...stage, fault: faultOf("kill") } as unknown as Hit, at * second, () => happened.push(at));
    await run(stage, 4);
    assert.deepEqual(happened, [1]);
  });

  it("nothing can be blocked or slow", async () => {
    const stage = stageOf(2);
    const { conditions } = stage.network;
    conditions.block(0, 1);
    assert.equal(conditions.isBlocked(0, 1), true);
    conditions.heal();
    conditions.block(0, 1);
    assert.equal(conditions.isBlocked(0, 1), false);
    await run(stage, 1);
  });
});

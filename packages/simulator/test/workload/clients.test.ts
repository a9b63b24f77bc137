/** Clients see what a member must not do to them: keep silent, or fail in a way that is no refusal. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DkvError } from "@dkv/server/platform/errors";
import { DamagedRecordError } from "@dkv/store";
import type { FaultKind } from "../../src/faults/swarm.ts";
import type { Machine } from "../../src/process/machine.ts";
import { applyFaults } from "../load.ts";
import { stageOf } from "../stage.ts";

type Stage = ReturnType<typeof stageOf>;
type Replica = NonNullable<Machine["member"]>["replica"];

const second = 1_000_000;

/** A cluster whose first machine does something else when it is asked, and no clients but the test's. */
async function running(more: Partial<Replica>): Promise<Stage & { readonly machine: Machine }> {
  const stage = stageOf(3);
  stage.clients.stop();
  await stage.world.run(5 * second);
  const [machine] = stage.cluster.machines;
  assert.ok(machine?.member !== undefined);
  Object.assign(machine.member.replica, more);
  return { ...stage, machine };
}

const never = <Result>(): Promise<Result> => new Promise(() => undefined);

function ask({ clients, machine }: Stage & { readonly machine: Machine }, kind: "get" | "set"): string[] {
  const answers: string[] = [];
  const action = kind === "get" ? ({ kind, key: "k" } as const) : ({ kind, key: "k", value: "1" } as const);
  clients.ask({ client: "c", action, machine }, (answer) => answers.push(answer.kind));
  return answers;
}

const run = ({ world }: Stage, seconds: number): Promise<void> => world.run(world.nowUs + seconds * second);

describe("a member that does not answer", () => {
  it("is seen if it ran all the time", async () => {
    for (const [kind, silent] of [
      ["set", { propose: never }],
      ["get", { readBarrier: never }],
    ] as const) {
      const stage = await running(silent);
      ask(stage, kind);
      await assert.rejects(run(stage, 9), new RegExp(`m1 never answered c: ${kind} k`));
    }
  });

  it("may have ended, or been paused, before or after it was asked", async () => {
    const killed = await running({ propose: never });
    const answers = ask(killed, "set");
    await run(killed, 1);
    killed.machine.crash({ power: false });
    killed.machine.start();
    await run(killed, 9);
    assert.deepEqual(answers, ["unknown"]);
    for (const isPausedFirst of [true, false]) {
      const paused = await running({ propose: never });
      if (isPausedFirst) paused.machine.life?.pause();
      const later = ask(paused, "set");
      await run(paused, 1);
      paused.machine.life?.pause();
      await run(paused, 1);
      paused.machine.life?.resume();
      await run(paused, 9);
      assert.deepEqual(later, ["unknown"]);
    }
  });
});

describe("a member that fails at what it is asked", () => {
  const failing = (error: Error) => ({ propose: () => Promise.reject(error) });

  it("may refuse", async () => {
    const stage = await running(failing(new DkvError("noLeader", "nobody leads")));
    const answers = ask(stage, "set");
    await run(stage, 1);
    assert.deepEqual(answers, ["failed"]);
  });

  it("is seen if that is a mistake in the program", async () => {
    const stage = await running(failing(new TypeError("a mistake")));
    ask(stage, "set");
    await assert.rejects(run(stage, 1), /a mistake/);
  });

  it("may find a damaged record only where something was done to the disk", async () => {
    for (const isDamaged of [true, false]) {
      const stage = await running(failing(new DamagedRecordError("a record")));
      const { platter } = stage.machine;
      assert.ok(platter !== undefined);
      platter.isDamaged = isDamaged;
      const answers = ask(stage, "set");
      if (isDamaged) await run(stage, 1);
      else await assert.rejects(run(stage, 1), DamagedRecordError);
      assert.deepEqual(answers, isDamaged ? ["unknown"] : []);
    }
  });
});

describe("whoever runs the cluster", () => {
  it("may be refused, and sees a mistake in the program", async () => {
    const change = { atUs: 1, forUs: second, hitsLeader: false, die: 2, number: 1 };
    for (const kind of ["membership", "transfer"] satisfies FaultKind[])
      for (const error of [new DkvError("noLeader", "nobody leads"), new TypeError("a mistake")]) {
        const fail = () => Promise.reject(error);
        const stage = await running({ changeMembership: fail, moveLeader: fail });
        const struck = applyFaults([{ ...change, kind, targets: [0, 0] }], stage);
        if (error instanceof DkvError) await run(stage, 1);
        else await assert.rejects(run(stage, 1), /a mistake/);
        assert.deepEqual([...struck], [1]);
      }
  });
});

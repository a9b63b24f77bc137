/** A machine that is not started any more has to have a reason. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Roster } from "../../src/process/roster.ts";
import type { Machine } from "../../src/process/machine.ts";
import { addressOf } from "../load.ts";
import { stageOf } from "../stage.ts";

type Stage = ReturnType<typeof stageOf>;

const second = 1_000_000;

const run = ({ world }: Stage, seconds: number): Promise<void> => world.run(world.nowUs + seconds * second);

/** Three members, and a fourth that has become a voter. */
async function withFourth(): Promise<Stage & { readonly fourth: Machine }> {
  const stage = stageOf(3);
  await run(stage, 5);
  const fourth = stage.cluster.join();
  ask(stage, "join");
  fourth.start();
  await run(stage, 10);
  assert.ok(stage.cluster.listed.some(({ name, role }) => name === "m4" && role === "voter"));
  return { ...stage, fourth };
}

function ask({ cluster }: Stage, kind: "join" | "leave"): void {
  const { life, replica } = cluster.leader?.member ?? assert.fail("nobody leads");
  const change =
    kind === "join"
      ? ({ kind, name: "m4", peerAddress: addressOf(3) } as const)
      : ({ kind, name: "m4" } as const);
  life.after(0, "client", () => void replica.changeMembership(change));
}

describe("a member that ends as removed", () => {
  it("was removed by a configuration that is committed", async () => {
    const stage = await withFourth();
    ask(stage, "leave");
    await run(stage, 5);
    assert.equal(stage.fourth.retired, "removed");
    assert.equal(stage.world.probes.count("member left"), 1);
  });

  it("is seen if there is none", async (test) => {
    const stage = await withFourth();
    test.mock.method(Roster.prototype, "isRemoved", () => false);
    ask(stage, "leave");
    await assert.rejects(run(stage, 5), /m4 ended as removed, and nobody has committed its removal/);
  });
});

describe("a member that is refused", () => {
  async function restartedEmpty(isWiped: boolean): Promise<Stage & { readonly fourth: Machine }> {
    const stage = await withFourth();
    stage.fourth.wipe();
    stage.fourth.isWiped = isWiped;
    stage.fourth.start();
    return stage;
  }

  it("has lost its data", async () => {
    const stage = await restartedEmpty(true);
    await run(stage, 5);
    assert.equal(stage.fourth.retired, "refused");
  });

  it("is seen if it has not", async () => {
    await assert.rejects(run(await restartedEmpty(false), 5), /m4 is a member, and was refused: /);
  });
});

describe("a disk", () => {
  it("is empty before its member has run, and counts as anything once it is damaged or lost", async () => {
    const stage = stageOf(3);
    const [machine] = stage.cluster.machines;
    const [id] = stage.cluster.listed.map((member) => member.id);
    assert.ok(machine !== undefined && id !== undefined);
    const { hardState, firstIndex } = stage.cluster.diskOf(id) ?? {};
    assert.deepEqual([hardState, firstIndex], [{ term: 0, votedFor: undefined, commit: 0 }, 1]);
    await run(stage, 5);
    assert.ok((stage.cluster.diskOf(id)?.hardState.term ?? 0) > 0);
    machine.wipe();
    assert.equal(stage.cluster.diskOf(id), undefined);
  });
});

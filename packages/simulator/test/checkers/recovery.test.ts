/** A cluster that does not get well is seen, whatever it is that it does not do. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MembershipChange } from "@dkv/server/consensus/member";
import { snapshotStart } from "@dkv/snapshot";
import type { Machine } from "../../src/process/machine.ts";
import { addressOf, recover } from "../load.ts";
import { stageOf } from "../stage.ts";

type Stage = ReturnType<typeof stageOf>;

async function running(): Promise<Stage & { readonly leader: Machine; readonly follower: Machine }> {
  const stage = stageOf(3);
  await stage.world.run(5_000_000);
  const { leader, machines } = stage.cluster;
  const follower = machines.find((machine) => machine !== leader);
  assert.ok(leader !== undefined && follower !== undefined);
  return { ...stage, leader, follower };
}

/** Does something when nobody writes any more, and the members only have to become equal. */
function onceStopped({ clients }: Stage, then: () => void): void {
  const stop = clients.stop.bind(clients);
  clients.stop = () => {
    stop();
    then();
  };
}

/** Does something at the last of the answers by which all have served. */
function onceServed({ clients, cluster }: Stage, then: () => void): void {
  const ask = clients.ask.bind(clients);
  let missing = 2 * cluster.machines.length;
  clients.ask = (asked, heard) => {
    ask(asked, (answer) => {
      if (asked.client.startsWith("healer") && answer.kind === "ok") {
        missing -= 1;
        if (missing === 0) then();
      }
      heard(answer);
    });
  };
}

/** From now on nothing reaches the machine, for good. */
function cutOff({ network, cluster }: Stage, machine: Machine): void {
  for (const { index } of cluster.machines) network.conditions.block(index, machine.index);
}

function change({ cluster }: Stage, asked: MembershipChange): void {
  const { life, replica } = cluster.leader?.member ?? assert.fail("nobody leads");
  life.after(0, "client", () => void replica.changeMembership(asked));
}

/** Each half a minute the machine, which is down, has one more chunk of a snapshot. */
function receive({ world }: Stage, { platter }: Machine, chunks: number): void {
  assert.ok(platter !== undefined);
  const header = Buffer.from("header");
  for (let count = 1; count <= chunks; count += 1) {
    world.after(count * 30_000_000, "client", () => {
      platter.incoming = { header, state: new Map(), progress: { ...snapshotStart(header), chunks: count } };
    });
  }
}

/** Adds a fourth member, which is not started. */
function join(stage: Stage): Machine {
  change(stage, { kind: "join", name: "m4", peerAddress: addressOf(3) });
  return stage.cluster.join();
}

describe("a cluster that was healed", () => {
  it("may serve everywhere, and become equal", async () => {
    const { servedMs, equalMs } = await recover(await running());
    assert.ok(servedMs > 0 && equalMs >= servedMs);
  });

  it("is seen if nobody comes to lead", async () => {
    const stage = await running();
    for (const machine of stage.cluster.machines) cutOff(stage, machine);
    // Until a leader knows that it is none any more.
    await stage.world.run(10_000_000);
    await assert.rejects(recover(stage), /no progress: 60 s .* not so that some member leads/);
  });

  it("is seen if a member does not serve", async () => {
    const stage = await running();
    cutOff(stage, stage.follower);
    await assert.rejects(recover(stage), new RegExp(`no progress: .* that ${stage.follower.name} serves`));
  });

  it("is seen if a member is not started any more", async () => {
    const stage = await running();
    stage.follower.crash({ power: false });
    await assert.rejects(recover(stage), new RegExp(`no progress: .* that ${stage.follower.name} serves`));
  });

  it("is seen if a member ends at last", async () => {
    const stage = await running();
    onceStopped(stage, () => {
      stage.follower.crash({ power: false });
    });
    await assert.rejects(recover(stage), /no progress: .* that all members have applied the same/);
  });

  it("is seen if a new member was added, and never came", async () => {
    const stage = await running();
    join(stage);
    await assert.rejects(recover(stage), /no progress: .* that m4 serves/);
  });

  it("is seen if one that is added meanwhile does not come", async () => {
    const stage = await running();
    onceServed(stage, () => {
      join(stage);
    });
    await assert.rejects(
      recover(stage),
      /no progress: .* that (m4 serves|all members have applied the same)/,
    );
  });

  it("may have a new member that comes late, and one that leaves before it has served", async () => {
    const stage = await running();
    const late = join(stage);
    stage.world.after(20_000_000, "client", () => {
      late.start();
    });
    await recover(stage);
    assert.ok(late.member !== undefined);
    const another = await running();
    join(another);
    another.world.after(20_000_000, "client", () => {
      change(another, { kind: "leave", name: "m4" });
    });
    await recover(another);
  });

  it("has time for a snapshot as long as more of it comes, and not for one that stands still", async () => {
    const stage = await running();
    stage.follower.crash({ power: false });
    receive(stage, stage.follower, 4);
    stage.world.after(130_000_000, "client", () => {
      stage.follower.start();
    });
    await recover(stage);
    const stuck = await running();
    stuck.follower.crash({ power: false });
    receive(stuck, stuck.follower, 1);
    stuck.world.after(130_000_000, "client", () => {
      stuck.follower.start();
    });
    await assert.rejects(recover(stuck), new RegExp(`no progress: .* that ${stuck.follower.name} serves`));
  });

  it("is seen if a member stays behind", async () => {
    const stage = await running();
    onceServed(stage, () => {
      cutOff(stage, stage.follower);
      const action = { kind: "set", key: "late", value: "1" } as const;
      stage.clients.ask({ client: "late", action, machine: stage.leader }, () => undefined);
    });
    await assert.rejects(recover(stage), /no progress: .* that all members have applied the same/);
  });

  it("is seen if a member has another state in the end", async () => {
    const stage = await running();
    onceStopped(stage, () => {
      const { state } = stage.follower.platter?.current ?? {};
      for (const key of state?.keys() ?? []) if (key.startsWith(" ")) state?.delete(key);
    });
    await assert.rejects(recover(stage), /a member has k\d+ at revision none/);
  });

  it("may have a member with a damaged disk, whose state means nothing", async () => {
    const stage = await running();
    onceStopped(stage, () => {
      const { platter } = stage.follower;
      assert.ok(platter !== undefined);
      platter.isDamaged = true;
      for (const key of platter.current.state.keys())
        if (key.startsWith(" ")) platter.current.state.delete(key);
    });
    await recover(stage);
  });
});

describe("a process that ends itself", () => {
  /** What the machine's process reads first is wrong when it is started again. */
  async function restartedWithDamage(isKnown: boolean): Promise<Stage & { readonly follower: Machine }> {
    const stage = await running();
    const { follower } = stage;
    follower.crash({ power: false });
    const { platter } = follower;
    const [record] = platter?.current.records ?? [];
    assert.ok(platter !== undefined && record !== undefined);
    record.bytes[20] = (record.bytes[20] ?? 0) ^ 1;
    platter.isDamaged = isKnown;
    follower.start();
    return stage;
  }

  it("may do so for what was done to its disk", async () => {
    const { world, follower } = await restartedWithDamage(true);
    await world.run(world.nowUs + 1_000_000);
    assert.equal(follower.retired, "damaged");
  });

  it("is seen if nothing was done to its disk", async () => {
    const { world } = await restartedWithDamage(false);
    await assert.rejects(world.run(world.nowUs + 1_000_000), { name: "DamageError" });
  });
});

describe("a machine whose disk was lost", () => {
  it("is seen if the others go on giving it entries", async () => {
    const { world, follower } = await running();
    follower.isWiped = true;
    await assert.rejects(world.run(world.nowUs + 1_000_000), /lost its data was given entries/);
  });
});

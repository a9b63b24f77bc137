/** Makes the faults of a schedule happen, and in the end undoes all that can be undone. */
import type { Network } from "../network/network.ts";
import type { Cluster } from "../process/cluster.ts";
import type { Machine } from "../process/machine.ts";
import type { World } from "../world/world.ts";
import { changeMembership, moveLeader } from "../workload/membership.ts";
import { breakSnapshot, coup, killInWrite, killNewLeader } from "./ambush.ts";
import { checkStates } from "../workload/state-check.ts";
import { damage, wipe } from "./damage.ts";
import { isolateOneWay, bridge, flap, partition, slowLinks } from "./network-faults.ts";
import type { Fault } from "./schedule.ts";
import type { FaultKind, Swarm } from "./swarm.ts";
import { upgrade } from "./upgrade.ts";

export interface Stage {
  readonly world: World;
  readonly cluster: Cluster;
  readonly network: Network;
  readonly seed: number;
  readonly swarm: Swarm;
}

/** One fault, and whom it hits. */
export interface Hit extends Stage {
  readonly fault: Fault;
  readonly machine: Machine;
  /** To be called when it changes anything: a machine that is down cannot be killed. More than once is once. */
  readonly struck: () => void;
}

/** Returns the numbers of those that struck so far, whenever it is looked at. */
export function applyFaults(faults: readonly Fault[], stage: Stage): ReadonlySet<number> {
  const { world } = stage;
  const struck = new Set<number>();
  for (const fault of faults) {
    world.after(fault.atUs, "fault", () => {
      const machine = targetOf(fault, stage.cluster);
      world.trace.note("fault", machine.index, [fault.number, fault.kind]);
      effects[fault.kind]({ ...stage, fault, machine, struck: () => struck.add(fault.number) });
    });
  }
  return struck;
}

function targetOf({ targets, hitsLeader }: Fault, cluster: Cluster): Machine {
  const { leader, machines } = cluster;
  if (hitsLeader && leader !== undefined) return leader;
  const machine = machines[targets[0] % machines.length];
  if (machine === undefined) throw new RangeError("a cluster without machines");
  return machine;
}

const effects: Readonly<Record<FaultKind, (hit: Hit) => void>> = {
  kill: (hit) => {
    crash(hit, false);
  },
  powerLoss: (hit) => {
    crash(hit, true);
  },
  killInWrite,
  killNewLeader,
  coup,
  pause,
  clockJump: ({ machine, fault, world, struck }) => {
    if (machine.isUp) {
      struck();
      world.probes.reached("clock jumped");
    }
    machine.clock.jump(fault.die % 60_000_000);
  },
  partition,
  oneWay: isolateOneWay,
  bridge,
  flap,
  slowLink: slowLinks,
  cut: ({ cluster, machine, network, struck }) => {
    for (const other of cluster.machines)
      for (const socket of network.between(machine.index, other.index)) {
        struck();
        socket.cut();
      }
  },
  breakSnapshot,
  slowDisk: (hit) => {
    const { hardware } = hit.machine;
    forAWhile(
      hit,
      () => hardware.slow(2 + (hit.fault.die % 50)),
      () => hardware.slow(1),
    );
  },
  hungDisk: ({ machine, fault, world, struck }) => {
    if (machine.isUp) struck();
    machine.hardware.hang(world.nowUs + fault.forUs);
  },
  failingSync: (hit) => {
    const { hardware } = hit.machine;
    forAWhile(
      hit,
      () => hardware.fail("EIO"),
      () => hardware.fail(undefined),
    );
  },
  fullDisk: fillDisk,
  damage,
  wipe,
  transfer: moveLeader,
  check: checkStates,
  membership: changeMembership,
  upgrade,
};

function forAWhile({ world, fault, machine, struck }: Hit, begin: () => void, end: () => void): void {
  if (machine.isUp) struck();
  begin();
  world.after(fault.forUs, "fault", () => {
    end();
    machine.start();
  });
}

function crash({ world, fault, machine, struck }: Hit, power: boolean): void {
  if (!machine.isUp) return;
  struck();
  machine.crash({ power });
  world.after(fault.forUs, "fault", () => {
    machine.start();
  });
}

function pause({ world, fault, machine, cluster, struck }: Hit): void {
  const { life } = machine;
  if (life === undefined || life.isPaused) return;
  struck();
  const led = cluster.leader === machine;
  world.probes.reached("process paused");
  life.pause();
  world.after(fault.forUs, "fault", () => {
    if (led && !life.isOver) world.probes.reached("paused leader woke up");
    life.resume();
  });
}

/** First there is less room than the reserve, then there is none. */
function fillDisk(one: Hit): void {
  const { machine, world, fault } = one;
  if (machine.member !== undefined) world.probes.reached("disk reserve low");
  machine.member?.reserve.measured(0);
  const isFull = fault.die % 2 === 0;
  forAWhile(
    one,
    () => {
      if (isFull) machine.hardware.fail("ENOSPC");
    },
    () => {
      machine.hardware.fail(undefined);
      machine.member?.reserve.measured(Number.MAX_SAFE_INTEGER);
    },
  );
}

/** From now on everything works, and everybody who may run does. */
export function heal({ cluster, network }: Pick<Stage, "cluster" | "network">): void {
  network.conditions.heal();
  cluster.onceElected(undefined);
  for (const machine of cluster.machines) {
    machine.hardware.slow(1);
    machine.hardware.hang(0);
    machine.hardware.fail(undefined);
    machine.hardware.ambush(undefined);
    machine.member?.reserve.measured(Number.MAX_SAFE_INTEGER);
    machine.life?.resume();
    // Whom a newcomer was told to ask may have left since: whoever runs the cluster starts it with what is
    // true now.
    if (machine.storage === undefined) machine.crash({ power: false });
    machine.start();
  }
}

/** Whoever runs the cluster puts the newer version in place, on one machine after the other. */
import type { Machine } from "../process/machine.ts";
import type { Hit } from "./apply.ts";

/** From the machine that is hit on, each after the pause that the fault names; nothing where all are new. */
export function upgrade({ cluster, machine, fault, world, swarm }: Hit): void {
  const { machines } = cluster;
  const endUs = swarm.seconds * 1_000_000;
  const next = (): void => {
    const from = [...machines.slice(machine.index), ...machines.slice(0, machine.index)];
    const older = from.find(({ isOlder }) => isOlder);
    // What is not done when things are healed stays as it is: a cluster has to bear that, too.
    if (older === undefined || world.nowUs >= endUs) return;
    restartNewer(older);
    if (machines.some(({ isOlder, isUp }) => isOlder && isUp))
      world.probes.reached("upgraded while others were older");
    world.after(fault.forUs, "fault", next);
  };
  next();
}

/** A machine that is down is newer once it is started. */
function restartNewer(machine: Machine): void {
  machine.isOlder = false;
  if (!machine.isUp) return;
  machine.crash({ power: false });
  machine.start();
}

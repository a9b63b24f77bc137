/** Whoever runs the cluster puts the newer version in place, on one machine after the other. */
import type { Machine } from "../process/machine.ts";
import type { Hit } from "./apply.ts";
import { later } from "./later.ts";

/** From the machine that is hit on, each after the pause that the fault names; nothing where all are new. */
export function upgrade(hit: Hit): void {
  const { cluster, machine, fault, world, struck } = hit;
  const { machines } = cluster;
  const next = (): void => {
    const from = [...machines.slice(machine.index), ...machines.slice(0, machine.index)];
    const older = from.find(({ isOlder }) => isOlder);
    if (older === undefined) return;
    struck();
    restartNewer(older);
    if (machines.some(({ isOlder, isUp }) => isOlder && isUp))
      world.probes.reached("upgraded while others were older");
    // What is not done when things are healed stays as it is: a cluster has to bear that, too.
    later(hit, fault.forUs, next);
  };
  later(hit, 0, next);
}

/** A machine that is down is newer once it is started. */
function restartNewer(machine: Machine): void {
  machine.isOlder = false;
  if (!machine.isUp) return;
  machine.crash({ power: false });
  machine.start();
}

/**
 * What a disk has changed behind the back of whoever wrote it. Only on a minority of the machines, and only where
 * nobody leaves: with more gone than a cluster can do without, nothing can be promised.
 */
import type { Hit } from "./apply.ts";

export function damage(hit: Hit): void {
  const { machine, cluster, swarm, fault, world } = hit;
  const { platter } = machine;
  const changesMembers = swarm.faults.some(([kind]) => kind === "membership");
  const damaged = cluster.machines.filter((each) => each.platter?.isDamaged === true).length;
  if (changesMembers || damaged >= Math.floor((swarm.members - 1) / 2)) return;
  if (platter === undefined || platter.isDamaged) return;
  const { current } = platter;
  const inState = [...current.state.keys()].filter((key) => key.startsWith(" "));
  const way = fault.die % 3;
  if (way === 0 && inState.length > 0) {
    flip(current.state.get(inState[fault.targets[1] % inState.length] ?? ""), fault.die);
  } else if (way === 1 && current.records.length > 1) {
    // The last record may be one that is being written.
    flip(current.records[fault.targets[1] % (current.records.length - 1)]?.bytes, fault.die);
  } else if (current.marker.durableRecord >= current.base.record) current.records.length = 0;
  else return;
  platter.isDamaged = true;
  // Log records are read at a start; what is in the state, when somebody asks for it.
  if (way === 0) return;
  machine.crash({ power: true });
  world.after(fault.forUs, "fault", () => {
    machine.start();
  });
}

function flip(bytes: Buffer | undefined, die: number): void {
  if (bytes === undefined) return;
  const at = die % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << ((die >>> 8) % 8));
}

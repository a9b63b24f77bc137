/**
 * What a disk has changed behind the back of whoever wrote it. Only on a minority of the machines, and only
 * where nobody leaves: with more gone than a cluster can do without, nothing can be promised.
 */
import { decodeMembership } from "@dkv/server/codec/membership-codec";
import type { Machine } from "../process/machine.ts";
import type { Hit } from "./apply.ts";

/** What keys of records begin with that are read one by one: the facts of a key, and the changes with the values. */
const readTables: readonly string[] = [" ", "\x11"];

export function damage(hit: Hit): void {
  const { machine, fault, world, struck } = hit;
  const { platter } = machine;
  if (!mayBeLost(hit) || platter === undefined || platter.isDamaged) return;
  const { current } = platter;
  const inState = [...current.state.keys()].filter((key) => readTables.includes(key.charAt(0)));
  const way = fault.die % 3;
  const hitsState = way === 0 && inState.length > 0;
  if (hitsState) {
    flip(current.state.get(inState[fault.targets[1] % inState.length] ?? ""), fault.die);
  } else if (way === 1 && current.records.length > 1) {
    // The last record may be one that is being written.
    flip(current.records[fault.targets[1] % (current.records.length - 1)]?.bytes, fault.die);
  } else if (current.marker.durableRecord >= current.base.record) current.records.length = 0;
  else return;
  platter.isDamaged = true;
  struck();
  // Log records are read at a start; what is in the state, when somebody asks for it.
  if (hitsState) return;
  machine.crash({ power: true });
  world.after(fault.forUs, "fault", () => {
    machine.start();
  });
}

/** Everything is gone, and the process is started again with the flags of its first start. */
export function wipe(hit: Hit): void {
  const { machine, cluster, fault, world, struck } = hit;
  if (!mayBeLost(hit) || machine.isWiped || machine.platter?.isDamaged !== false) return;
  // Before, it is as good as new to them, and together with one that is new they may begin the cluster once
  // more.
  if (!cluster.machines.every((each) => each === machine || knowsToHaveStarted(each, machine))) return;
  struck();
  machine.wipe();
  world.after(fault.forUs, "fault", () => {
    machine.start();
  });
}

/** Whether it will turn away what comes back with another data directory, because a committed configuration tells it to. */
function knowsToHaveStarted({ storage, isWiped, platter, isOlder }: Machine, lost: Machine): boolean {
  if (isWiped || platter?.isDamaged === true) return true;
  // The version before turns nobody away for that, and nobody knows one directory of its own from another.
  if (isOlder) return false;
  const known = storage?.configurations.findLast(({ index }) => index <= storage.durableHardState.commit);
  if (known === undefined) return false;
  const row = decodeMembership(known.configuration.context).rows.find(({ name }) => name === lost.name);
  return row !== undefined && row.incarnation !== 0n;
}

function mayBeLost({ cluster, swarm }: Hit): boolean {
  const changesMembers = swarm.faults.some(([kind]) => kind === "membership");
  const lost = cluster.machines.filter((each) => each.platter?.isDamaged === true || each.isWiped).length;
  return !changesMembers && lost < Math.floor((swarm.members - 1) / 2);
}

function flip(bytes: Buffer | undefined, die: number): void {
  if (bytes === undefined) return;
  const at = die % bytes.length;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << ((die >>> 8) % 8));
}

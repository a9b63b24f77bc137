/** Faults of the network: who cannot be heard by whom, for a while. */
import type { Machine } from "../process/machine.ts";
import type { Hit } from "./apply.ts";
import { later } from "./later.ts";

type Direction = readonly [from: number, to: number];

/** Two groups that do not hear each other; the die says who is in which. */
export function partition(hit: Hit): void {
  const { cluster, fault, machine } = hit;
  const inGroup = ({ index }: Machine): boolean => ((fault.die >>> (index % 32)) & 1) === 1;
  const own = inGroup(machine);
  const [a, b] = [
    cluster.machines.filter((each) => each === machine || inGroup(each) === own),
    cluster.machines.filter((each) => each !== machine && inGroup(each) !== own),
  ];
  block(hit, [...between(a, b), ...between(b, a)]);
}

/** One machine is not heard any more, or hears nobody. */
export function isolateOneWay(hit: Hit): void {
  const { cluster, fault, machine } = hit;
  const others = cluster.machines.filter((each) => each !== machine);
  block(hit, fault.die % 2 === 0 ? between([machine], others) : between(others, [machine]));
}

/** Two halves that only one machine can talk to. */
export function bridge(hit: Hit): void {
  const { cluster, machine } = hit;
  const others = cluster.machines.filter((each) => each !== machine);
  const a = others.filter((_, at) => at % 2 === 0);
  const b = others.filter((_, at) => at % 2 === 1);
  block(hit, [...between(a, b), ...between(b, a)]);
}

/** A link goes and comes, a few times. */
export function flap(hit: Hit): void {
  const { cluster, fault, machine, network } = hit;
  const other = cluster.machines[fault.targets[1] % cluster.machines.length] ?? machine;
  if (other === machine) return;
  const periodUs = fault.forUs / 6;
  for (const at of [0, 2, 4]) {
    later(hit, at * periodUs, () => {
      for (const socket of network.between(machine.index, other.index)) socket.cut();
      block({ ...hit, fault: { ...fault, forUs: periodUs } }, [
        [machine.index, other.index],
        [other.index, machine.index],
      ]);
    });
  }
}

/** All links of a machine become slow. */
export function slowLinks({ cluster, fault, machine, network, world, struck }: Hit): void {
  const others = cluster.machines.filter((each) => each !== machine);
  const directions = [...between([machine], others), ...between(others, [machine])];
  if (directions.length > 0) struck();
  const factor = 5 + (fault.die % 100);
  for (const [from, to] of directions) network.conditions.slow(from, to, factor);
  world.after(fault.forUs, "fault", () => {
    for (const [from, to] of directions) network.conditions.slow(from, to, 1);
  });
}

function between(froms: readonly Machine[], tos: readonly Machine[]): readonly Direction[] {
  return froms.flatMap((from) => tos.map((to) => [from.index, to.index] as const));
}

function block({ world, network, fault, struck }: Hit, directions: readonly Direction[]): void {
  if (directions.length > 0) struck();
  for (const [from, to] of directions) network.conditions.block(from, to);
  world.after(fault.forUs, "fault", () => {
    for (const [from, to] of directions) network.conditions.unblock(from, to);
  });
}

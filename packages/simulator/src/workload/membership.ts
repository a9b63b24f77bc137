/** Whoever runs the cluster: members come, go and are replaced, and leadership is moved. */
import { DkvError } from "@dkv/server/platform/errors";
import type { MembershipChange } from "@dkv/server/consensus/member";
import type { Hit } from "../faults/apply.ts";
import { later } from "../faults/later.ts";
import { addressOf, type Cluster } from "../process/cluster.ts";
import type { Machine } from "../process/machine.ts";
import type { MemberProcess } from "../process/member.ts";

/** A cluster of more machines than that takes too long to simulate. */
const mostMachines = 12;

export function changeMembership(hit: Hit): void {
  changeOnce(hit);
  // Two at once, now and then, each through another member.
  const { fault, cluster } = hit;
  const [a, b] = fault.targets;
  if (fault.die % 3 !== 0) return;
  const again = { ...fault, targets: [b, a] as const, die: Math.floor(fault.die / 3) };
  const machine = cluster.machines[b % cluster.machines.length] ?? hit.machine;
  later(hit, fault.die % 20_000, () => {
    changeOnce({ ...hit, fault: again, machine });
  });
}

function changeOnce(hit: Hit): void {
  const { fault, machine, cluster } = hit;
  const member = someMember(hit);
  if (member === undefined) return;
  const kind = fault.die % 4;
  const isSmall = currentMembers(cluster) <= 1;
  if (kind === 0 || (isSmall && kind !== 3)) join(hit, member);
  else if (kind === 1) replace(hit, member);
  else if (kind === 2) ask(hit, member, { kind: "leave", name: machine.name });
  else ask(hit, member, { kind: "promote", name: machine.name });
}

export function moveLeader(hit: Hit): void {
  const member = someMember(hit);
  if (member === undefined) return;
  const { world, cluster, fault, struck } = hit;
  const to = cluster.machines[fault.targets[1] % cluster.machines.length]?.name ?? "";
  member.life.after(0, "client", () => {
    struck();
    settle(hit, member.replica.moveLeader(to), () => {
      world.probes.reached("leadership moved");
    });
  });
}

function join(hit: Hit, member: MemberProcess): void {
  const { cluster } = hit;
  if (cluster.machines.length >= mostMachines) return;
  const machine = cluster.join();
  ask(hit, member, { kind: "join", name: machine.name, peerAddress: addressOf(machine.index) });
  // It asks who it is until somebody knows.
  machine.start();
}

function replace(hit: Hit, member: MemberProcess): void {
  const { cluster, machine: old } = hit;
  if (cluster.machines.length >= mostMachines) return;
  const machine = cluster.join();
  const change = {
    kind: "replace",
    old: old.name,
    name: machine.name,
    peerAddress: addressOf(machine.index),
  } as const;
  ask(hit, member, change);
  machine.start();
}

function ask(hit: Hit, member: MemberProcess, change: MembershipChange): void {
  const { world, struck } = hit;
  world.trace.note("change", member.life.machine, [change.kind, change.name]);
  member.life.after(0, "client", () => {
    struck();
    settle(hit, member.replica.changeMembership(change), () => {
      world.trace.note("changed", member.life.machine, [change.kind, change.name]);
    });
  });
}

/** A refusal is an answer too. Anything but a refusal is a mistake in the program. */
function settle({ world }: Hit, asked: Promise<void>, then: () => void): void {
  void asked.then(then, (error: unknown) => {
    if (!(error instanceof DkvError)) world.fail(error);
  });
}

function someMember({ fault, cluster }: Hit): MemberProcess | undefined {
  const { members } = cluster;
  return members[fault.targets[1] % members.length];
}

function currentMembers(cluster: Cluster): number {
  const { voters } = configurationOf(cluster.leader) ?? {};
  return voters?.length ?? 0;
}

const configurationOf = (machine: Machine | undefined) =>
  machine?.member?.node.status().configuration.configuration;

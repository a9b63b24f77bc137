/**
 * Kills that wait for their moment: in the middle of a write, or right after an election. By chance alone
 * they would seldom come then, and it is then that promises are half made.
 */
import type { Hit } from "./apply.ts";
import { later } from "./later.ts";

/** Within so long after its election, a leader has sent some of what it has to send. */
const honeymoonUs = 30_000;

/** The machine's process dies while a write of its log is on the way; often one with a vote. */
export function killInWrite(hit: Hit): void {
  const { machine, fault, world, struck } = hit;
  const wantsVote = fault.die % 2 === 0;
  machine.hardware.ambush(({ kind, isVote }) => {
    if (kind !== "log" || (wantsVote && isVote !== true)) return false;
    // Not within the event that writes: the process goes on until then.
    later(hit, fault.die % 300, () => {
      if (machine.isUp) struck();
      machine.crash({ power: fault.die % 3 === 0 });
      world.after(fault.forUs / 10, "fault", () => {
        machine.start();
      });
    });
    return true;
  });
}

/** Whoever receives a snapshot next loses its connections in the middle of it, or its life. */
export function breakSnapshot(hit: Hit): void {
  const { cluster, fault, network, struck } = hit;
  for (const machine of cluster.machines) {
    let chunks = fault.die % 4;
    machine.hardware.ambush(({ kind }) => {
      if (kind !== "snapshot") return false;
      chunks -= 1;
      if (chunks >= 0) return false;
      later(hit, fault.die % 2000, () => {
        if (machine.isUp) struck();
        if (fault.die % 3 === 0) {
          machine.crash({ power: false });
          machine.start();
          return;
        }
        for (const other of cluster.machines)
          for (const socket of network.between(other.index, machine.index)) socket.cut();
      });
      return true;
    });
  }
}

/** The next leader is killed when it has hardly begun. */
export function killNewLeader(hit: Hit): void {
  const { cluster, fault, world, struck } = hit;
  cluster.onceElected((machine) => {
    later(hit, fault.die % honeymoonUs, () => {
      if (machine.isUp) struck();
      machine.crash({ power: false });
      world.after(fault.forUs, "fault", () => {
        machine.start();
      });
    });
  });
}

/** The leader reaches one follower only, and dies soon after: what it had last is on two disks. */
export function coup(hit: Hit): void {
  const { cluster, fault, network, world, struck } = hit;
  const leader = cluster.leader ?? hit.machine;
  const confidant = cluster.machines[fault.targets[1] % cluster.machines.length];
  const others = cluster.machines.filter((each) => each !== leader && each !== confidant);
  for (const { index } of others) network.conditions.block(leader.index, index);
  later(hit, fault.die % 300_000, () => {
    if (leader.isUp && others.length > 0) struck();
    for (const { index } of others) network.conditions.unblock(leader.index, index);
    leader.crash({ power: false });
    world.after(fault.forUs, "fault", () => {
      leader.start();
    });
  });
}

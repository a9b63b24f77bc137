/** What can go wrong, and which of it may go wrong at the same time. */

export const faultKinds = [
  "kill",
  "killAll",
  "pause",
  "split",
  "oneWay",
  "bridge",
  "leaderAlone",
  "delay",
  "silence",
  "reset",
  "cut",
  "fullDisk",
  "damage",
  "certificates",
  "replace",
  "transfer",
  "clock",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** As a person reads it in a table. */
export const faultTitles: Readonly<Record<FaultKind, string>> = {
  kill: "kill -9 of one member",
  killAll: "kill -9 of all members",
  pause: "pause of one member",
  split: "partition, two-way",
  oneWay: "partition, one-way",
  bridge: "partition with a bridge",
  leaderAlone: "leader cut off from all",
  delay: "slow network",
  silence: "connections that fall silent",
  reset: "connections reset",
  cut: "connections cut within a frame",
  fullDisk: "full disk",
  damage: "damaged files, then replaced",
  certificates: "certificates and CA replaced",
  replace: "member replaced by another",
  transfer: "leader transfers",
  clock: "wrong time of day",
};

/** What a fault does it to; two faults of one group do not go together. */
const groups: Readonly<Record<FaultKind, "processes" | "network" | "members" | "certificates" | "leader">> = {
  kill: "processes",
  killAll: "processes",
  pause: "processes",
  clock: "processes",
  split: "network",
  oneWay: "network",
  bridge: "network",
  leaderAlone: "network",
  delay: "network",
  silence: "network",
  reset: "network",
  cut: "network",
  // Each of these may take a disk away, and never must more than one be away.
  fullDisk: "members",
  damage: "members",
  replace: "members",
  certificates: "certificates",
  transfer: "leader",
};

export function goTogether(one: FaultKind, other: FaultKind): boolean {
  return groups[one] !== groups[other];
}

/** A fault as it is drawn, before anybody knows who leads. */
export interface Fault {
  readonly kind: FaultKind;
  /** Whether it strikes the leader, where it strikes one member and may choose. */
  readonly strikesLeader: boolean;
  /** Decides the rest: whom else, and how hard. */
  readonly seed: number;
}

/**
 * What a run is like. Every run draws its own sizes, rates and kinds of faults: runs that all try everything
 * at once find less than runs that each leave something out (Groce et al., "Swarm Testing", 2012).
 */
import type { DiskTiming } from "../disk/hardware.ts";
import type { NetworkOptions } from "../network/conditions.ts";
import type { Settings } from "../process/settings.ts";
import type { WorkloadOptions } from "../workload/clients.ts";
import { Prng } from "../world/random.ts";

export const faultKinds = [
  "kill",
  "powerLoss",
  "killInWrite",
  "killNewLeader",
  "coup",
  "pause",
  "clockJump",
  "partition",
  "oneWay",
  "bridge",
  "flap",
  "slowLink",
  "cut",
  "breakSnapshot",
  "slowDisk",
  "hungDisk",
  "failingSync",
  "fullDisk",
  "damage",
  "wipe",
  "transfer",
  "check",
  "membership",
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Scramble {
  /** Of a frame's messages to take another way: late, twice, or never. */
  readonly chance: number;
}

export interface Swarm {
  readonly members: number;
  /** How long things fail. */
  readonly seconds: number;
  /** Kinds of faults, each with how often it comes in ten seconds. */
  readonly faults: readonly (readonly [kind: FaultKind, rate: number])[];
  /** Of each machine, by which its clock is wrong: 0.01 is a percent. */
  readonly drift: number;
  readonly network: NetworkOptions;
  readonly scramble: Scramble;
  readonly disk: DiskTiming;
  readonly settings: Settings;
  readonly workload: WorkloadOptions;
}

export function drawSwarm(seed: number): Swarm {
  const random = new Prng(seed, "swarm");
  const members = random.pick([1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7]);
  const chosen = faultKinds.filter(() => random.chance(0.35));
  return {
    members,
    seconds: random.between(8, 25),
    // A change takes many steps, and goes wrong only where others come between them.
    faults: chosen.map((kind) => [kind, random.between(1, kind === "membership" ? 12 : 5)] as const),
    drift: random.pick([0, 0.001, 0.02, 0.1]),
    network: {
      minDelayUs: 50,
      maxDelayUs: random.pick([200, 1000, 10_000]),
      lateChance: random.pick([0, 0, 0.01, 0.05]),
      splitChance: random.pick([0, 0.1, 0.5]),
    },
    scramble: { chance: random.pick([0, 0, 0.02, 0.2]) },
    disk: { minUs: 100, maxUs: random.pick([300, 2000, 15_000]) },
    settings: drawSettings(random),
    workload: {
      clients: random.pick([2, 5, 10, 20]),
      keys: random.pick([2, 5, 20, 100]),
      thinkMs: random.pick([20, 100, 200]),
      readShare: random.pick([0.2, 0.5, 0.8]),
      deleteShare: random.pick([0, 0.2]),
      valueBytes: random.pick([10, 100, 2000]),
    },
  };
}

function drawSettings(random: Prng): Settings {
  const electionTimeoutMs = random.pick([300, 1000, 1000]);
  return {
    turnUs: random.pick([20, 100, 500]),
    tickMs: random.pick([10, 10, 30]),
    heartbeatMs: electionTimeoutMs / 10,
    electionTimeoutMs,
    snapshotCount: random.pick([20, 20, 100, 1000]),
    catchupEntries: random.pick([0, 0, 5, 50]),
    chunkBytes: random.pick([100, 1000, 100_000]),
    maxAppendBytes: random.pick([200, 2000, 1 << 18]),
    inflightMessages: random.pick([1, 4, 256]),
    cacheBytes: random.pick([0, 1000, 1 << 20]),
    checkIntervalMs: random.pick([undefined, undefined, 3000]),
  };
}

/** Nothing fails: for measuring, and for seeing that the simulator alone breaks nothing. */
export function calmSwarm(members: number, seconds: number, operationsPerSecond: number): Swarm {
  const clients = 10;
  return {
    members,
    seconds,
    faults: [],
    drift: 0,
    network: { minDelayUs: 50, maxDelayUs: 300, lateChance: 0, splitChance: 0 },
    scramble: { chance: 0 },
    disk: { minUs: 200, maxUs: 600 },
    settings: {
      turnUs: 300,
      tickMs: 20,
      heartbeatMs: 100,
      electionTimeoutMs: 1000,
      snapshotCount: 10_000,
      catchupEntries: 1000,
      chunkBytes: 100_000,
      maxAppendBytes: 1 << 18,
      inflightMessages: 256,
      cacheBytes: 1 << 20,
      checkIntervalMs: undefined,
    },
    workload: {
      clients,
      keys: 20,
      thinkMs: (clients * 1000) / operationsPerSecond,
      readShare: 0.5,
      deleteShare: 0.1,
      valueBytes: 50,
    },
  };
}

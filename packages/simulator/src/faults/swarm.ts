/**
 * What a run is like. Every run draws its own sizes, rates and kinds of faults: runs that all try everything
 * at once find less than runs that each leave something out (Groce et al., "Swarm Testing", 2012).
 */
import type { DiskTiming } from "../disk/hardware.ts";
import type { NetworkOptions } from "../network/conditions.ts";
import type { Settings } from "../process/settings.ts";
import type { WorkloadOptions } from "../workload/clients.ts";
import type { StoreWorkOptions } from "../workload/store-work.ts";
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
  "upgrade",
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Scramble {
  /** Of a frame's messages to take another way: late, twice, or never. */
  readonly chance: number;
}

export interface Swarm {
  readonly members: number;
  /** Of the founders, that run the version before: their directories have no incarnation. */
  readonly olderShare: number;
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
  readonly storeWork: StoreWorkOptions;
}

/**
 * Each value is drawn from a stream that has its name: one more kind of fault, or one more setting, leaves
 * the others what they were, and a seed that was kept goes on meaning nearly the same run.
 */
export function drawSwarm(seed: number): Swarm {
  const pick: Draw = (name, items) => new Prng(seed, `swarm ${name}`).pick(items);
  return {
    members: pick("members", [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7]),
    olderShare: pick("olderShare", [0, 0, 0.5]),
    seconds: new Prng(seed, "swarm seconds").between(8, 25),
    faults: drawFaults(seed, faultKinds),
    drift: pick("drift", [0, 0.001, 0.02, 0.1]),
    network: {
      minDelayUs: 50,
      maxDelayUs: pick("maxDelayUs", [200, 1000, 10_000]),
      lateChance: pick("lateChance", [0, 0, 0.01, 0.05]),
      splitChance: pick("splitChance", [0, 0.1, 0.5]),
      windowBytes: pick("windowBytes", [1 << 10, 1 << 14, 1 << 17]),
    },
    scramble: { chance: pick("scramble", [0, 0, 0.02, 0.2]) },
    disk: { minUs: 100, maxUs: pick("disk", [300, 2000, 15_000]) },
    settings: drawSettings(pick),
    workload: {
      clients: pick("clients", [2, 5, 10, 20]),
      keys: pick("keys", [2, 5, 20, 100]),
      thinkMs: pick("thinkMs", [20, 100, 200]),
      readShare: pick("readShare", [0.2, 0.5, 0.8]),
      deleteShare: pick("deleteShare", [0, 0.2]),
      valueBytes: pick("valueBytes", [10, 100, 2000]),
    },
    storeWork: {
      registers: pick("registers", [0, 0, 3]),
      lists: pick("lists", [0, 0, 3]),
      leases: pick("leases", [0, 0, 3]),
      locks: pick("locks", [0, 0, 3]),
      watchers: pick("watchers", [0, 0, 3]),
      rules: pick("rules", [0, 0, 1]),
      compactEveryMs: pick("compactEveryMs", [undefined, undefined, 500, 2000]),
    },
  };
}

/** Which of these kinds there are, and how often each. */
export function drawFaults(seed: number, kinds: readonly FaultKind[]): Swarm["faults"] {
  return kinds.flatMap((kind) => {
    const random = new Prng(seed, `swarm ${kind}`);
    if (!random.chance(0.35)) return [];
    // A change takes many steps, and goes wrong only where others come between them.
    return [[kind, random.between(1, kind === "membership" ? 12 : 5)] as const];
  });
}

type Draw = <Item>(name: string, items: readonly Item[]) => Item;

function drawSettings(pick: Draw): Settings {
  const electionTimeoutMs = pick("electionTimeoutMs", [300, 1000, 1000]);
  return {
    turnUs: pick("turnUs", [20, 100, 500]),
    tickMs: pick("tickMs", [10, 10, 30]),
    heartbeatMs: electionTimeoutMs / 10,
    electionTimeoutMs,
    snapshotCount: pick("snapshotCount", [20, 20, 100, 1000]),
    catchupEntries: pick("catchupEntries", [0, 0, 5, 50]),
    chunkBytes: pick("chunkBytes", [100, 1000, 100_000]),
    maxAppendBytes: pick("maxAppendBytes", [200, 2000, 1 << 18]),
    inflightMessages: pick("inflightMessages", [1, 4, 256]),
    cacheBytes: pick("cacheBytes", [0, 1000, 1 << 20]),
    pieceChanges: pick("pieceChanges", [3, 30, 1000]),
    checkIntervalMs: pick("checkIntervalMs", [undefined, undefined, 3000]),
  };
}

/** Nothing fails: for measuring, and for seeing that the simulator alone breaks nothing. */
export function calmSwarm(members: number, seconds: number, operationsPerSecond: number): Swarm {
  const clients = 10;
  return {
    members,
    olderShare: 0,
    seconds,
    faults: [],
    drift: 0,
    network: { minDelayUs: 50, maxDelayUs: 300, lateChance: 0, splitChance: 0, windowBytes: 1 << 17 },
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
      pieceChanges: 1000,
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
    storeWork: {
      registers: 0,
      lists: 0,
      leases: 0,
      locks: 0,
      watchers: 0,
      rules: 0,
      compactEveryMs: undefined,
    },
  };
}

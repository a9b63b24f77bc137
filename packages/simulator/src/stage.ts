/** What a run needs, put together and not yet begun. */
import { pino } from "pino";
import { Checkers } from "./checkers/checkers.ts";
import type { Swarm } from "./faults/swarm.ts";
import { Conditions } from "./network/conditions.ts";
import { Network } from "./network/network.ts";
import { setStage } from "./network/node-net.ts";
import { Cluster } from "./process/cluster.ts";
import { Clients } from "./workload/clients.ts";
import { StoreWork } from "./workload/store-work.ts";
import { Prng } from "./world/random.ts";
import { Trace, type TraceLine } from "./world/trace.ts";
import { World } from "./world/world.ts";

export interface Stage {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly world: World;
  readonly network: Network;
  readonly checkers: Checkers;
  readonly cluster: Cluster;
  readonly clients: Clients;
  readonly storeWork: StoreWork;
}

/** From now on the transport of this process is on this run's network. */
export function stageFor(seed: number, swarm: Swarm, onLine?: (line: TraceLine) => void): Stage {
  const world = new World(new Trace(onLine));
  const conditions = new Conditions(swarm.network, new Prng(seed, "network"));
  const network = new Network(world, conditions, new Prng(seed, "connections"));
  setStage(network);
  const logger = pino({ level: "silent" });
  const checkers: Checkers = new Checkers(world, (id) => cluster.diskOf(id));
  const cluster = new Cluster({ seed, swarm, world, network, checkers, logger });
  const clients = new Clients(swarm.workload, {
    world,
    random: new Prng(seed, "clients"),
    machines: () => cluster.serving,
    durability: checkers.durability,
  });
  const storeWork = new StoreWork(swarm.storeWork, {
    world,
    random: new Prng(seed, "store work"),
    machines: () => cluster.serving,
    truth: checkers.stateMachine.truth,
    readings: () => cluster.machines.map(({ clock }) => clock.readUs(world.nowUs)),
    leaderOf: (term) => checkers.leaderOf(term),
    drift: swarm.drift,
    clocksJump: swarm.faults.some(([kind]) => kind === "clockJump"),
  });
  world.onSettled = (life, kind) => {
    // What arrives, from a peer or a client, waits for the next turn.
    if (kind !== "bytes" && kind !== "client") cluster.settled(life);
  };
  return { seed, swarm, world, network, checkers, cluster, clients, storeWork };
}

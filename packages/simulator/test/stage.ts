/** A cluster of three on which nothing fails but what the test lets fail. */
import { pino } from "pino";
import { Checkers } from "../src/checkers/checkers.ts";
import type { Swarm } from "../src/faults/swarm.ts";
import { Conditions } from "../src/network/conditions.ts";
import { Network } from "../src/network/network.ts";
import { Clients } from "../src/workload/clients.ts";
import { Prng } from "../src/world/random.ts";
import { Trace } from "../src/world/trace.ts";
import { World } from "../src/world/world.ts";
import { calmSwarm, Cluster, setStage } from "./load.ts";

const seed = 1;

export function stageOf(members: number, more: Partial<Swarm> = {}) {
  const calm = { ...calmSwarm(members, 60, 50), ...more };
  // Everything is read from the disk.
  const swarm = { ...calm, settings: { ...calm.settings, cacheBytes: 0 } };
  const world = new World(new Trace());
  const conditions = new Conditions(swarm.network, new Prng(seed, "network"));
  const network = new Network(world, conditions, new Prng(seed, "connections"));
  setStage(network);
  const checkers: Checkers = new Checkers(world, (id) => cluster.diskOf(id));
  const logger = pino({ level: "silent" });
  const cluster: InstanceType<typeof Cluster> = new Cluster({
    seed,
    swarm,
    world,
    network,
    checkers,
    logger,
  });
  const clients = new Clients(swarm.workload, {
    world,
    random: new Prng(seed, "clients"),
    machines: () => cluster.serving,
    durability: checkers.durability,
  });
  world.onSettled = (life, kind) => {
    if (kind !== "bytes" && kind !== "client") cluster.settled(life);
  };
  cluster.start();
  clients.start();
  return { seed, swarm, world, network, checkers, cluster, clients };
}

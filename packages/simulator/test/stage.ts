/** A cluster of which nothing fails but what the test lets fail. */
import type { Stage } from "../src/stage.ts";
import type { Swarm } from "../src/faults/swarm.ts";
import { calmSwarm, stageFor } from "./load.ts";

const seed = 1;

export function stageOf(members: number, more: Partial<Swarm> = {}): Stage {
  const calm = { ...calmSwarm(members, 60, 50), ...more };
  // Everything is read from the disk.
  const stage = stageFor(seed, { ...calm, settings: { ...calm.settings, cacheBytes: 0 } });
  stage.cluster.start();
  stage.clients.start();
  return stage;
}

/**
 * One run: a cluster on machines that fail, clients, and checkers that look at every step. First things fail;
 * then all heals, and within a bounded time every member has to serve and to be where the others are.
 */
import { boundsOf, checkBounds, type Sizes } from "./checkers/bounds.ts";
import { judge, mostSearchSteps } from "./checkers/histories.ts";
import { applyFaults, heal } from "./faults/apply.ts";
import { type Fault, schedule } from "./faults/schedule.ts";
import { drawSwarm, type Swarm } from "./faults/swarm.ts";
import type { Network } from "./network/network.ts";
import type { Cluster } from "./process/cluster.ts";
import { recover, type Recovery } from "./recovery.ts";
import { stageFor } from "./stage.ts";
import type { TraceLine } from "./world/trace.ts";
import type { World } from "./world/world.ts";
import type { Probes } from "./world/probes.ts";

export interface RunOptions {
  readonly seed: number;
  /** Drawn from the seed unless given. */
  readonly swarm?: Swarm;
  /** Drawn from the seed unless given. */
  readonly faults?: readonly Fault[];
  /** After which the search for an order of what the clients saw is given up; millions unless given. */
  readonly searchSteps?: number;
  /** Hears of every line of the dense log. */
  readonly onLine?: (line: TraceLine) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly swarm: Swarm;
  readonly faults: readonly Fault[];
  /** Numbers of those that changed anything: the others found nothing that they could harm. */
  readonly struck: ReadonlySet<number>;
  /** Undefined if all was well. */
  readonly violation: Error | undefined;
  /** The search for an order of what the clients saw was given up: whether there is one, nobody knows. */
  readonly isUndecided: boolean;
  readonly hash: string;
  readonly steps: number;
  readonly simulatedMs: number;
  readonly probes: Probes;
  readonly operations: { readonly ok: number; readonly failed: number; readonly unknown: number };
  readonly recovery: Recovery | undefined;
  readonly recent: readonly TraceLine[];
}

const second = 1_000_000;

/** For work of this process that waits until nothing else is to be done, like the news of a rejected promise. */
const outside = (): Promise<void> =>
  new Promise((resolve) => {
    // oxlint-disable-next-line no-restricted-globals -- nothing is simulated meanwhile
    setImmediate(resolve);
  });

/** Deterministic: the same options give the same outcome, on any machine. One at a time. */
export async function simulate(options: RunOptions): Promise<Outcome> {
  const { seed, searchSteps = mostSearchSteps } = options;
  const swarm = options.swarm ?? drawSwarm(seed);
  const faults = options.faults ?? schedule(swarm, seed);
  const { world, network, checkers, cluster, clients, storeWork } = stageFor(seed, swarm, options.onLine);
  let violation: Error | undefined;
  let recovery: Recovery | undefined;
  let isUndecided = false;
  let struck: ReadonlySet<number> = new Set();
  const onRejection = (error: unknown): void => {
    world.fail(error);
  };
  // In place of the end of this process, after which nobody would know the seed.
  process.on("unhandledRejection", onRejection);
  try {
    cluster.start();
    clients.start();
    storeWork.start();
    struck = applyFaults(faults, { world, cluster, network, seed, swarm });
    watchBounds({ world, cluster, network }, boundsOf(swarm));
    await world.run(swarm.seconds * second);
    heal({ cluster, network });
    recovery = await recover({ world, cluster, clients, storeWork, checkers });
    const verdicts = [judge(clients.history, searchSteps), storeWork.judge(searchSteps)];
    isUndecided = verdicts.includes("undecided");
    await outside();
    await world.run(world.nowUs);
  } catch (error) {
    violation = error instanceof Error ? error : new Error(String(error));
    await outside();
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  const { hash, step: steps } = world.trace;
  const { probes, trace, nowUs } = world;
  const simulatedMs = nowUs / 1000;
  const { counts: operations } = clients;
  return {
    seed,
    swarm,
    faults,
    struck,
    violation,
    isUndecided,
    hash,
    steps,
    simulatedMs,
    probes,
    operations,
    recovery,
    recent: trace.recent(),
  };
}

interface Watched {
  readonly world: World;
  readonly cluster: Cluster;
  readonly network: Network;
}

/** Several times in a simulated second. */
function watchBounds(watched: Watched, bounds: Sizes): void {
  const { world, cluster, network } = watched;
  world.after(second / 4, "watch", () => {
    const sizes = {
      pendingEvents: world.pending,
      queuedBytes: network.mostQueuedBytes,
      unsavedBytes: Math.max(0, ...cluster.members.map(({ store }) => store.unsavedBytes)),
      logBytes: Math.max(0, ...cluster.members.map(({ storage }) => storage.logBytes)),
    };
    checkBounds(sizes, bounds);
    watchBounds(watched, bounds);
  });
}

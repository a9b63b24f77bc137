/**
 * The second phase: nothing fails any more. Within a bounded time every member of the cluster serves writes
 * and reads, and all are at the same index with the same state.
 */
import type { Checkers } from "./checkers/checkers.ts";
import { SafetyViolation } from "./checkers/truth.ts";
import type { Cluster } from "./process/cluster.ts";
import type { Machine } from "./process/machine.ts";
import type { Clients } from "./workload/clients.ts";
import type { World } from "./world/world.ts";

/**
 * Elections, reconnections, a snapshot for whoever is behind, and the time that a leader waits between them.
 */
const patienceUs = 60_000_000;

const stepUs = 100_000;

export interface Recovery {
  /** From the healing until all members had served a write and a read. */
  readonly servedMs: number;
  /** Until all were at the same index. */
  readonly equalMs: number;
}

interface Stage {
  readonly world: World;
  readonly cluster: Cluster;
  readonly clients: Clients;
  readonly checkers: Checkers;
}

export async function recover(stage: Stage): Promise<Recovery> {
  const { world, cluster, clients, checkers } = stage;
  const startUs = world.nowUs;
  await until(stage, "some member leads and knows its members", () => voters(cluster).length > 0);
  await serveEverywhere(stage);
  const servedMs = (world.nowUs - startUs) / 1000;
  clients.stop();
  await until(stage, "all members have applied the same", () => areEqual(cluster));
  for (const { member, platter } of machinesOf(cluster)) {
    if (member !== undefined && platter?.isDamaged !== true) checkers.stateMachine.whole(member.store);
  }
  return { servedMs, equalMs: (world.nowUs - startUs) / 1000 };
}

/** Each member in turn writes and reads, asked again until it does. */
async function serveEverywhere(stage: Stage): Promise<void> {
  const { cluster, clients } = stage;
  for (const machine of voters(cluster)) {
    const served = new Set<string>();
    const ask = (kind: "get" | "set"): void => {
      const action =
        kind === "get"
          ? ({ kind, key: "k0" } as const)
          : ({ kind, key: "k0", value: `healed ${machine.name}` } as const);
      clients.ask({ client: `healer of ${machine.name}`, action, machine }, ({ kind: answer }) => {
        if (answer === "ok") served.add(kind);
        else if (machine.retired === undefined) ask(kind);
      });
    };
    ask("set");
    ask("get");
    await until(stage, `${machine.name} serves`, () => served.size === 2 || machine.retired !== undefined);
  }
}

/** Machines of the voters, as the leader knows them, that are able to run. */
function voters(cluster: Cluster): readonly Machine[] {
  const ids = cluster.leader?.member?.node.status().configuration.configuration.voters ?? [];
  return machinesOf(cluster).filter(({ member }) => member !== undefined && ids.includes(member.id));
}

const machinesOf = (cluster: Cluster): readonly Machine[] =>
  cluster.machines.filter(({ retired, isWiped }) => retired === undefined && !isWiped);

function areEqual(cluster: Cluster): boolean {
  const leader = cluster.leader?.member;
  if (leader === undefined) return false;
  const { lastIndex, configuration } = leader.node.status();
  const { voters: ids, learners, outgoing } = configuration.configuration;
  if (outgoing.length > 0) return false;
  return machinesOf(cluster).every(({ member }) => {
    if (member === undefined) return true;
    if (!ids.includes(member.id) && !learners.includes(member.id)) return true;
    return member.store.appliedIndex === lastIndex;
  });
}

async function until({ world, cluster }: Stage, what: string, condition: () => boolean): Promise<void> {
  const deadlineUs = world.nowUs + patienceUs;
  while (!condition()) {
    if (world.nowUs >= deadlineUs)
      throw new SafetyViolation(
        `no progress: ${String(patienceUs / 1_000_000)} s after all was healed it is not so that ${what} (${describe(cluster)})`,
      );
    await world.run(world.nowUs + stepUs);
  }
}

function describe(cluster: Cluster): string {
  return cluster.machines
    .map(({ name, member, retired }) => {
      if (member === undefined) return `${name}: ${retired ?? "not a member"}`;
      const { role, term, commit, lastIndex } = member.node.status();
      return `${name}: ${role} of term ${String(term)}, ${String(commit)} of ${String(lastIndex)} committed`;
    })
    .join("; ");
}

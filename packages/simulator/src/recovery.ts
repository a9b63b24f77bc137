/**
 * The second phase: nothing fails any more. Within a bounded time every member of the cluster serves writes
 * and reads, and all are at the same index with the same state.
 */
import type { Checkers } from "./checkers/checkers.ts";
import { SafetyViolation } from "./checkers/truth.ts";
import type { Cluster } from "./process/cluster.ts";
import type { Machine } from "./process/machine.ts";
import type { Clients } from "./workload/clients.ts";
import type { StoreWork } from "./workload/store-work.ts";
import type { World } from "./world/world.ts";

/**
 * Elections, reconnections, a snapshot for whoever is behind, and the time that a leader waits between them.
 */
const patienceUs = 60_000_000;

const stepUs = 100_000;

/** After a refusal. */
const askAgainUs = 20_000;

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
  readonly storeWork: Pick<StoreWork, "stop" | "hasSettled">;
  readonly checkers: Checkers;
}

export async function recover(stage: Stage): Promise<Recovery> {
  const { world, cluster, clients, storeWork, checkers } = stage;
  const startUs = world.nowUs;
  await until(stage, "some member leads and knows its members", () => expected(cluster).length > 0);
  await serveEverywhere(stage);
  const servedMs = (world.nowUs - startUs) / 1000;
  clients.stop();
  storeWork.stop();
  await until(stage, "all leases have run out and all watches were told", () => storeWork.hasSettled);
  await until(stage, "all members have applied the same", () => areEqual(cluster));
  for (const { member } of expected(cluster))
    if (member !== undefined) checkers.stateMachine.whole(member.store);
  return { servedMs, equalMs: (world.nowUs - startUs) / 1000 };
}

/** Each member in turn writes and reads, asked again until it does. Meanwhile others may come, and some leave. */
async function serveEverywhere(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const asked = new Set<Machine>();
  for (;;) {
    const next = expected(cluster).find((machine) => !asked.has(machine));
    if (next === undefined) return;
    asked.add(next);
    await serves(stage, next);
  }
}

async function serves(stage: Stage, machine: Machine): Promise<void> {
  const { world, cluster, clients } = stage;
  const served = new Set<string>();
  const isDone = (): boolean => served.size === 2 || isExcused(cluster, machine);
  const ask = (kind: "get" | "set"): void => {
    const action =
      kind === "get"
        ? ({ kind, key: "k0" } as const)
        : ({ kind, key: "k0", value: `healed ${machine.name}` } as const);
    clients.ask({ client: `healer of ${machine.name}`, action, machine }, ({ kind: answer }) => {
      if (answer === "ok") served.add(kind);
      else if (!isDone())
        world.after(askAgainUs, "client", () => {
          ask(kind);
        });
    });
  };
  ask("set");
  ask("get");
  await until(stage, `${machine.name} serves`, isDone);
}

/** Has lost what it promised, or a leader knows that it is no member any more. */
const isExcused = (cluster: Cluster, machine: Machine): boolean =>
  cluster.leader !== undefined && !expected(cluster).includes(machine);

/**
 * Machines of all members that the leader knows, whether anything runs there or not, but for those whose disk
 * was damaged or lost. None while nobody leads.
 */
function expected(cluster: Cluster): readonly Machine[] {
  if (cluster.leader === undefined) return [];
  const names = new Set(cluster.listed.map(({ name }) => name));
  return cluster.machines.filter(
    ({ name, platter, isWiped }) => names.has(name) && !isWiped && platter?.isDamaged !== true,
  );
}

function areEqual(cluster: Cluster): boolean {
  const leader = cluster.leader?.member;
  if (leader === undefined) return false;
  const { lastIndex, configuration } = leader.node.status();
  if (configuration.configuration.outgoing.length > 0) return false;
  return expected(cluster).every(({ member }) => member?.store.appliedIndex === lastIndex);
}

/**
 * A snapshot in small chunks, onto a slow disk, takes its time: as long as more of it arrives than ever did
 * before, that is progress.
 */
async function until({ world, cluster }: Stage, what: string, condition: () => boolean): Promise<void> {
  let deadlineUs = world.nowUs + patienceUs;
  const received = new Map<Machine, number>();
  while (!condition()) {
    for (const machine of cluster.machines) {
      const chunks = machine.platter?.incoming?.progress.chunks ?? 0;
      if (chunks <= (received.get(machine) ?? 0)) continue;
      received.set(machine, chunks);
      deadlineUs = world.nowUs + patienceUs;
    }
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

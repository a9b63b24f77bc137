/** Members that take the place of others, and that take over from the leader. */
import { DkvClientError } from "@dkv/client";
import type { Member } from "@dkv/cluster";
import { Trouble } from "../cluster/fleet.ts";
import { nowMs, sleep } from "../platform/time.ts";
import { detailsOf, impossible, type Scene, type Strike, victimOf } from "./scene.ts";

/** How long a change of the members may be asked for in vain: all faults are healed in much less. */
const patienceMs = 90_000;

/** Asks again until there is an answer; each time with a client that knows the members as they are then. */
async function insist<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
  const deadlineMs = nowMs() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof DkvClientError)) throw error;
      if (nowMs() > deadlineMs) {
        throw new Trouble(`${what} is not possible: ${error.code}, ${error.message}`);
      }
      await sleep(300);
    }
  }
}

function idOf(scene: Scene, name: string): Promise<bigint | undefined> {
  return insist("reading the list of members", async () => {
    const { members } = await scene.clients.dkv.all().members();
    return members.find((member) => member.id === name)?.memberId;
  });
}

/** Adds one member in place of another one, by name; both may be the same. */
async function replace(scene: Scene, oldId: string, newcomer: Member): Promise<void> {
  const before = await idOf(scene, newcomer.name);
  await insist(`replacing ${oldId} by ${newcomer.name}`, async () => {
    const present = await idOf(scene, newcomer.name);
    // An attempt whose outcome was not known has succeeded.
    if (present !== undefined && present !== before) return;
    const change = { oldId, id: newcomer.name, address: newcomer.peerAddress };
    await scene.clients.dkv.all().memberReplace(change);
  });
}

/** As a member of a cluster that is there; it asks the others who it is. */
function joining(scene: Scene, newcomer: Member): Record<string, string> {
  const others = scene.fleet.members.map(({ name, peerAddress }) => `${name}=${peerAddress}`);
  const own = `${newcomer.name}=${newcomer.peerAddress}`;
  return {
    "initial-cluster-state": "existing",
    "initial-cluster": [...new Set([...others, own])].join(","),
  };
}

const votersOf = ({ fleet }: Scene): readonly string[] => fleet.members.map(({ name }) => name);

/** A member whose data is lost becomes a new one of the same name and address. */
export async function bringBack(scene: Scene, member: Member): Promise<void> {
  await replace(scene, member.name, member);
  scene.disks.empty(member);
  await scene.fleet.start(member, { flags: joining(scene, member) });
  await scene.fleet.cluster.waitForVoters(votersOf(scene));
}

/** One of another name takes a member's place, which may be dead by then. */
export const replaceMember: Strike = async (fault, scene) => {
  const { fleet, disks, network, clients } = scene;
  const old = await victimOf(fault, scene);
  if (old === undefined) return impossible("nobody runs");
  const isDead = detailsOf(fault).chance(0.5);
  const goes = fleet.letEnd(old);
  if (isDead) await fleet.kill(old);
  const newcomer = await fleet.newMember();
  if (disks.isSmall(old)) disks.makeSmall(newcomer);
  const work = replace(scene, old.name, newcomer);
  // It is awaited when all else is healed.
  work.catch(() => undefined);
  return {
    kind: "struck",
    what: `${old.name}${isDead ? ", dead," : ""} by ${newcomer.name}`,
    heal: async () => {
      await work;
      await fleet.start(newcomer, { flags: joining(scene, newcomer) });
      fleet.cluster.forget(old);
      await fleet.cluster.waitForVoters(votersOf(scene));
      await fleet.kill(old);
      goes();
      network.closeMember(old.name);
      clients.forgetFormer();
      disks.remove(old);
    },
  };
};

export const transfer: Strike = async (fault, scene) => {
  const random = detailsOf(fault);
  const everyMs = random.magnitude(100, 2_000);
  const ending = new AbortController();
  const work = (async () => {
    while (!ending.signal.aborted) {
      const { name } = random.pick(scene.fleet.members);
      await scene.clients.dkv
        .all()
        .moveLeader(name, { timeoutMs: 1_000 })
        .catch((error: unknown) => {
          if (!(error instanceof DkvClientError)) throw error;
        });
      await sleep(everyMs, ending.signal);
    }
  })();
  return {
    kind: "struck",
    what: `every ${String(everyMs)} ms`,
    heal: () => {
      ending.abort();
      return work;
    },
  };
};

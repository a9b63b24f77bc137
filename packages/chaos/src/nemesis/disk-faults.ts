/** What happens to members' disks. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Member } from "@dkv/cluster";
import { lastWords, Trouble } from "../cluster/fleet.ts";
import { fillDisk, makeRoom } from "../platform/small-disk.ts";
import { after, sleep } from "../platform/time.ts";
import type { Random } from "../random.ts";
import { bringBack } from "./membership.ts";
import { detailsOf, impossible, type Strike, victimOf } from "./scene.ts";

/** Less than the members' reserve, so that they refuse writes; enough to go on with. */
const nearlyFullBytes = 12 * 2 ** 20;

/** How long a member may take to notice that its data is damaged. */
const refusalMs = 20_000;

export const fullDisk: Strike = async (fault, scene) => {
  const { fleet, disks } = scene;
  const victim = await victimOf(fault, scene, (member) => disks.isSmall(member));
  if (victim === undefined) return impossible("none runs on a disk that can be filled");
  const isNearly = detailsOf(fault).chance(0.5);
  const insist = fleet.letEnd(victim);
  fillDisk(victim.dataDir, isNearly ? nearlyFullBytes : 0);
  return {
    kind: "struck",
    what: `${victim.name}, ${isNearly ? "nearly" : "to the last byte"}`,
    heal: async () => {
      makeRoom(victim.dataDir);
      // If it has met the full disk in this moment, it is about to end.
      await sleep(1_000);
      if (!victim.isRunning) await fleet.start(victim);
      insist();
    },
  };
};

/** Files are changed or lost while the member is stopped. It has to notice, and is replaced afterwards. */
export const damage: Strike = async (fault, scene) => {
  const { fleet } = scene;
  const victim = await victimOf(fault, scene);
  if (victim === undefined) return impossible("nobody runs");
  await fleet.kill(victim);
  const what = damageFiles(victim, detailsOf(fault));
  await mustRefuse(victim, what);
  return {
    kind: "struck",
    what: `${victim.name}: ${what}`,
    heal: () => bringBack(scene, victim),
  };
};

/** Returns what was done. */
function damageFiles({ dataDir }: Member, random: Random): string {
  const generations = readdirSync(dataDir).filter((name) => /^\d+$/.test(name));
  if (generations.length === 0) throw new Error(`${dataDir} holds no data`);
  // One is current; the kill may have left another, which the member would not miss.
  const lose = (part: string): void => {
    for (const generation of generations)
      rmSync(join(dataDir, generation, part), { recursive: true, force: true });
  };
  const what = random.pick(["flip", "log", "db"] as const);
  if (what === "db") {
    lose("db");
    return "the database lost";
  }
  const [only, ...others] = generations;
  const isFlipped =
    what === "flip" &&
    only !== undefined &&
    others.length === 0 &&
    flipInLog(join(dataDir, only, "log"), random);
  if (isFlipped) return "a byte of the log changed";
  lose("log");
  return "the log lost";
}

/** What the load's values are filled up with, and so what most of a log consists of. */
const padding = Buffer.from("x".repeat(64));

/**
 * Changes a byte of a value in a record that others follow: a last one that is not whole would look like one
 * that was torn by a crash, and was promised to nobody. Returns false if there is none.
 */
function flipInLog(log: string, random: Random): boolean {
  const files = readdirSync(log).filter((name) => statSync(join(log, name)).size > 0);
  for (const name of random.shuffled(files)) {
    const path = join(log, name);
    const bytes = readFileSync(path);
    const first = bytes.indexOf(padding);
    if (first < 0 || bytes.lastIndexOf(padding) < first + 100_000) continue;
    bytes[first] = (bytes[first] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
    return true;
  }
  return false;
}

async function mustRefuse(member: Member, what: string): Promise<void> {
  member.start();
  const cancel = after(refusalMs, () => void member.kill());
  const { code } = await member.waitForEnd();
  cancel();
  const words = lastWords(member);
  if (code === 1 && /damaged|missing|not what was written/.test(words)) return;
  throw new Trouble(`${member.name} did not refuse damaged data (${what}): ${words}`);
}

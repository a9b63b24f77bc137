/** What happens to members as processes. */
import type { Member } from "@dkv/cluster";
import { fakeTimeEnvironment, setOffset } from "../platform/fake-time.ts";
import { after } from "../platform/time.ts";
import { detailsOf, impossible, namesOf, type Strike, victimOf } from "./scene.ts";

const nobodyRuns = impossible("nobody runs");

export const kill: Strike = async (fault, scene) => {
  const { fleet } = scene;
  const victim = await victimOf(fault, scene);
  if (victim === undefined) return nobodyRuns;
  await fleet.kill(victim);
  return {
    kind: "struck",
    what: victim.name,
    heal: async () => {
      // Another fault may have replaced it, or started it.
      if (fleet.members.includes(victim) && !victim.isRunning) await fleet.start(victim);
    },
  };
};

export const killAll: Strike = async (_fault, { fleet }) => {
  const victims = fleet.running;
  await fleet.killAll();
  return {
    kind: "struck",
    what: namesOf(victims),
    heal: async () => {
      const idle = victims.filter((member) => fleet.members.includes(member) && !member.isRunning);
      await Promise.all(idle.map((member) => fleet.start(member)));
    },
  };
};

export const pause: Strike = async (fault, scene) => {
  const victim = await victimOf(fault, scene);
  if (victim === undefined) return nobodyRuns;
  victim.pause();
  const { pid } = victim;
  return {
    kind: "struck",
    what: victim.name,
    heal: async () => {
      if (isSameLife(victim, pid)) victim.resume();
    },
  };
};

const isSameLife = (member: Member, pid: number | undefined): boolean =>
  member.isRunning && member.pid === pid;

/** A member lives with another time of day, which in the middle jumps to the other side of the true one. */
export const clock: Strike = async (fault, scene) => {
  const { fleet, fakeTime } = scene;
  if (fakeTime === undefined) return impossible("libfaketime is not installed");
  const victim = await victimOf(fault, scene);
  if (victim === undefined) return nobodyRuns;
  const random = detailsOf(fault);
  const seconds = random.magnitude(1, 600) * (random.chance(0.5) ? 1 : -1);
  setOffset(fakeTime.file, seconds);
  await fleet.kill(victim);
  await fleet.start(victim, { env: fakeTimeEnvironment(fakeTime.library, fakeTime.file) });
  const cancelJump = after(random.between(500, 3_000), () => setOffset(fakeTime.file, -seconds));
  return {
    kind: "struck",
    what: `${victim.name}, ${String(seconds)} s off, then ${String(-seconds)} s`,
    heal: async () => {
      cancelJump();
      if (!fleet.members.includes(victim)) return;
      await fleet.kill(victim);
      await fleet.start(victim);
    },
  };
};

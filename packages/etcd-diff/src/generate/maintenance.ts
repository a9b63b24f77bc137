/** Requests about the state of a member, and alarms. */
import type { Plain } from "../message/plain.ts";
import type { Random } from "../random.ts";
import type { Step } from "../step.ts";
import { kvStep } from "./kv.ts";
import { leaseSteps } from "./lease.ts";
import { txnStep } from "./txn.ts";
import { revision } from "./words.ts";

export function maintenanceSteps(random: Random): readonly Step[] {
  return random.weighted<() => readonly Step[]>([
    [30, () => [hash(random)]],
    [5, () => [{ call: "Maintenance/Status", request: {} }]],
    [5, () => [alarms]],
    [1, () => [{ call: "Maintenance/Defragment", request: {} }]],
    [2, () => alarmed(random, alarmKinds.noSpace)],
  ])();
}

/** The alarm that somebody's data is damaged. */
export function corruptSteps(random: Random): readonly Step[] {
  return alarmed(random, alarmKinds.corrupt);
}

const alarmKinds = { noSpace: 1, corrupt: 2 } as const;

const alarms: Step = { call: "Maintenance/Alarm", request: {} };

function hash(random: Random): Step {
  const request = random.chance(0.3) ? {} : { revision: revision(random) };
  return { call: "Maintenance/HashKV", request };
}

/** An alarm is raised, what is refused then is asked for, and it is called off. */
function alarmed(random: Random, alarm: number): readonly Step[] {
  const memberID: Plain = random.pick(["member:home", 4711]);
  const turn = (action: number): Step => ({
    call: "Maintenance/Alarm",
    request: { action, memberID, alarm },
  });
  const meanwhile = Array.from({ length: random.between(2, 12) }, () =>
    random.weighted<() => readonly Step[]>([
      [6, () => [kvStep(random)]],
      // For want of space etcd refuses no put that is in a transaction within another.
      [3, () => [txnStep(random, alarm !== alarmKinds.noSpace)]],
      [2, () => leaseSteps(random)],
      [1, () => [hash(random)]],
      [1, () => [{ call: "Maintenance/Status", request: {} }]],
      [1, () => [alarms]],
    ])(),
  );
  return [turn(1), ...meanwhile.flat(), ...(random.chance(0.2) ? [turn(1)] : []), alarms, turn(2), alarms];
}

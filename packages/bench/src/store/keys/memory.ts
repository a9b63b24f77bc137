import { sleep } from "../../platform/clock.ts";
import { residentMemory } from "../../platform/resident-memory.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { StoreDeps } from "../deps.ts";
import { askMemory } from "../probe/probe.ts";

/** What a member takes at rest: as it stands, and when its garbage is gone. */
export interface RestingMemory {
  readonly residentBytes: number;
  /** Without mapped files, which the system takes back as it needs it; undefined: not told. */
  readonly ownBytes: number | undefined;
  readonly collectedBytes: number;
  readonly heapBytes: number;
}

/** How much more that is than before. */
export type MemoryDifference = RestingMemory & { readonly member: string };

/** Of all members, after a rest. */
export async function restingMemory(
  members: readonly LocalMember[],
  { options, progress, signal }: Pick<StoreDeps, "options" | "progress" | "signal">,
): Promise<ReadonlyMap<LocalMember, RestingMemory>> {
  await progress.during("memory: at rest", sleep(options.settleSeconds * 1000, signal));
  const found = new Map<LocalMember, RestingMemory>();
  for (const member of members) {
    const resident = await residentMemory(member.pid);
    const collected = await askMemory(member);
    found.set(member, {
      residentBytes: resident?.bytes ?? 0,
      ownBytes: resident?.ownBytes,
      collectedBytes: collected.residentBytes,
      heapBytes: collected.heapBytes,
    });
  }
  return found;
}

/** Of the member that took the most more. */
export function largestDifference(
  before: ReadonlyMap<LocalMember, RestingMemory>,
  after: ReadonlyMap<LocalMember, RestingMemory>,
): MemoryDifference | undefined {
  const differences = [...after].flatMap(([member, now]) => {
    const then = before.get(member);
    return then === undefined ? [] : [{ member: member.name, ...differenceOf(then, now) }];
  });
  return differences.toSorted((one, other) => other.residentBytes - one.residentBytes)[0];
}

function differenceOf(then: RestingMemory, now: RestingMemory): RestingMemory {
  return {
    residentBytes: now.residentBytes - then.residentBytes,
    ownBytes:
      now.ownBytes === undefined || then.ownBytes === undefined ? undefined : now.ownBytes - then.ownBytes,
    collectedBytes: now.collectedBytes - then.collectedBytes,
    heapBytes: now.heapBytes - then.heapBytes,
  };
}

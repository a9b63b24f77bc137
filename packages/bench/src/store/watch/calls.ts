import { sleep } from "../../platform/clock.ts";
import { residentMemory } from "../../platform/resident-memory.ts";
import type { LocalMember } from "../../systems/local-member.ts";
import type { RunningSystem } from "../../systems/system.ts";
import type { StoreDeps } from "../deps.ts";
import { askMemory } from "../probe/probe.ts";
import { openWatches } from "./open-watches.ts";
import type { WatcherCost } from "./watchers.ts";

const callConnections = 100;

/** Calls of Watch at a real member, with its connections and all of HTTP/2. */
export interface CallsResult extends WatcherCost {
  readonly connections: number;
}

export async function measureCalls(running: RunningSystem, deps: StoreDeps): Promise<CallsResult> {
  const { options, progress, signal } = deps;
  const count = options.watchCalls;
  const connections = Math.min(count, callConnections);
  const leader = await running.findLeader();
  const onEvent = (): void => undefined;
  // What the first of them take once is no watch's.
  const first = await openWatches({ leader, count: connections, connections, onEvent, signal });
  first.close();
  const before = await memoryAtRest(leader, deps);
  const opening = openWatches({ leader, count, connections, onEvent, signal });
  const { calls, close } = await progress.during(`watchers: ${count} calls of Watch`, opening);
  try {
    const after = await memoryAtRest(leader, deps);
    const ended = calls.find(({ ending }) => ending !== undefined);
    if (ended !== undefined) throw new Error(`a watch has ended: ${ended.ending}`);
    return {
      watchers: count,
      connections,
      heapBytes: after.heapBytes - before.heapBytes,
      externalBytes: after.externalBytes - before.externalBytes,
      residentBytes: after.residentBytes - before.residentBytes,
    };
  } finally {
    close();
  }
}

async function memoryAtRest(
  leader: LocalMember,
  { options, progress, signal }: StoreDeps,
): Promise<Pick<WatcherCost, "heapBytes" | "externalBytes" | "residentBytes">> {
  await progress.during("watchers: at rest", sleep(options.settleSeconds * 1000, signal));
  const { heapBytes, externalBytes } = await askMemory(leader);
  return { heapBytes, externalBytes, residentBytes: (await residentMemory(leader.pid))?.bytes ?? 0 };
}

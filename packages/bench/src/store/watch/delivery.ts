import { nowMs, sleep } from "../../platform/clock.ts";
import type { RunningSystem, System } from "../../systems/system.ts";
import { UsageMeter } from "../../workload/usage-meter.ts";
import { type Cores, coresOf } from "../cores.ts";
import type { StoreDeps } from "../deps.ts";
import { type Followed, startFollowing } from "./following.ts";

/** Many watches of one prefix under a load of writes, and what that took after the warm-up. */
export type DeliveryResult = Followed & Cores;

export async function measureDelivery(
  system: System,
  running: RunningSystem,
  deps: StoreDeps,
): Promise<DeliveryResult> {
  const { options, progress, signal } = deps;
  const leader = await running.findLeader();
  const following = await startFollowing({ system, leader }, deps);
  const meter = new UsageMeter({ members: running.members, idle: [] });
  try {
    await progress.during("watch: warming up", sleep(options.warmupSeconds * 1000, signal));
    following.measureFrom(nowMs());
    meter.start();
    await progress.during(`watch: ${options.watchRate} writes/s`, sleep(options.seconds * 1000, signal));
    meter.stop();
    return { ...(await following.finish()), ...coresOf(meter.usage, leader, options.seconds) };
  } finally {
    meter.stop();
    following.close();
  }
}

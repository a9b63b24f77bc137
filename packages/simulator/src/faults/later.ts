/** What a fault does some time after it has come. */
import type { Hit } from "./apply.ts";

/** Does not happen once everything was healed: from then on nothing may fail. */
export function later({ world, swarm }: Hit, delayUs: number, strike: () => void): void {
  world.after(delayUs, "fault", () => {
    if (world.nowUs < swarm.seconds * 1_000_000) strike();
  });
}

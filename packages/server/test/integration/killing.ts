/** What tests do to leaders. */
import type { Cluster } from "@dkv/cluster";

export interface Failover {
  /** From the death of one leader until a majority follows another. */
  readonly gapMs: number;
}

/** Kills the leader, waits for another, and starts the killed one again once `meanwhile` has resolved. */
export async function killLeader(
  cluster: Cluster,
  meanwhile: () => Promise<unknown> = async () => Promise.resolve(),
): Promise<Failover> {
  const victim = cluster.member(await cluster.waitForLeader());
  await victim.kill();
  const killedAt = performance.now();
  await cluster.waitForLeader();
  const gapMs = performance.now() - killedAt;
  await meanwhile();
  victim.start();
  await victim.waitReady();
  return { gapMs };
}

/** A count that grows, and can be waited for. */
export class Progress {
  #count = 0;
  #waiting: { readonly at: number; readonly resolve: () => void }[] = [];

  get count(): number {
    return this.#count;
  }

  advance(): void {
    this.#count += 1;
    const due = this.#waiting.filter(({ at }) => at <= this.#count);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    for (const { resolve } of due) resolve();
  }

  /** Resolves when it has grown by so much. */
  async more(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ at: this.#count + count, resolve });
    });
  }
}

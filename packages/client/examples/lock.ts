/** Does some work while nobody else does it, and stops when that can no longer be relied on. */
import type { DkvClient, Lock } from "@dkv/client";

export async function alone(
  client: DkvClient,
  name: string,
  work: (fencingToken: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await using lock: Lock = await client.lock(name, { ttlSeconds: 5 });
  await work(lock.fencingToken, lock.lost);
}

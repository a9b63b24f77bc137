/** Writes many keys, many at the same time, on one stream. */
import type { DkvClient } from "@dkv/client";

/** How many were written. The first failure is thrown, when all others have ended too. */
export async function load(client: DkvClient, entries: Iterable<readonly [string, string]>): Promise<number> {
  await using pipe = client.pipe({ maxInFlight: 256 });
  const writes = Array.from(entries, async ([key, value]) => pipe.set(key, value));
  for (const result of await Promise.allSettled(writes))
    if (result.status === "rejected") throw result.reason;
  return writes.length;
}

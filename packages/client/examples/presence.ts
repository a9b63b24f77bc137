/** A key that is there as long as this program is: a lease that is kept alive, and ends with it. */
import type { DkvClient, Lease } from "@dkv/client";

/** Close the lease to take the key away at once. */
export async function announce(client: DkvClient, key: string, address: string): Promise<Lease> {
  const lease = await client.lease(10);
  await client.set(key, address, { lease });
  return lease;
}

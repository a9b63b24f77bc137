/** Counts up, however many do so at the same time: a change is written only on what was read. */
import { type DkvClient, DkvClientError } from "@dkv/client";

/** The count after this one. */
export async function countUp(client: DkvClient, key: string): Promise<number> {
  for (;;) {
    const found = await client.get(key);
    const next = Number(Buffer.from(found?.value ?? []).toString()) + 1;
    try {
      await client.set(key, String(next), { ifModRevision: found?.modRevision ?? 0 });
      return next;
    } catch (error) {
      // Somebody else was faster: read again. Any other error, and an unknown outcome, is the caller's.
      if (!(error instanceof DkvClientError)) throw error;
      if (error.code !== "precondition_failed" || error.retry !== "never") throw error;
    }
  }
}

/** Keeps a copy of all keys under a prefix: reads them once, and then every change after that revision. */
import type { DkvClient } from "@dkv/client";

/** @param onChange is told the copy at first, and after each change */
export async function mirror(
  client: DkvClient,
  prefix: string,
  { signal, onChange }: { signal: AbortSignal; onChange: (copy: ReadonlyMap<string, string>) => void },
): Promise<void> {
  const copy = new Map<string, string>();
  const first = await client.listPage({ prefix }, { limit: 1, signal });
  const { revision } = first.header;
  for await (const { key, value } of client.list({ prefix }, { revision, signal }))
    copy.set(key, Buffer.from(value).toString());
  onChange(copy);
  for await (const { kind, kv } of client.watch({ prefix }, { startRevision: revision + 1, signal })) {
    if (kind === "set") copy.set(kv.key, Buffer.from(kv.value).toString());
    else copy.delete(kv.key);
    onChange(copy);
  }
}

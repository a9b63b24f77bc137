/** History of a cluster, as it stands on disks. */
import { create } from "@bufbuild/protobuf";
import { CompactCommandSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { Operation, Store } from "@dkv/store";
import { type Running, set } from "../cluster.ts";

export const compact = (revision: number): Operation => ({
  case: "compact",
  value: create(CompactCommandSchema, { revision: BigInt(revision) }),
});

/** Sets one key so many times. */
export async function overwrite({ replica }: Running, times: number): Promise<void> {
  await Promise.all(Array.from({ length: times }, (_, at) => replica.propose(set("key", String(at)))));
}

/** Changes of the history that are left. */
export async function changesLeft(store: Store): Promise<number> {
  let changes = 0;
  for await (const batch of store.history({ revision: 0, sub: 0 }, store.revision)) changes += batch.length;
  return changes;
}

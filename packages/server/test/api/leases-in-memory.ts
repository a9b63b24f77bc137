import { create } from "@bufbuild/protobuf";
import { RangeOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import type { LeaseId, Store } from "@dkv/store";
import type { LeaseKeeper, LeaseTime } from "../../src/consensus/leases/lease-keeper.ts";

/** Leases whose time stands still. */
export class LeasesInMemory implements LeaseKeeper {
  readonly leastTtl = 2n;
  readonly #store: Store;
  readonly #quorum: (timeoutMs: number | undefined) => Promise<void>;
  #lastId = 0x1000n;

  constructor(store: Store, quorum: (timeoutMs: number | undefined) => Promise<void>) {
    this.#store = store;
    this.#quorum = quorum;
  }

  newId(): LeaseId {
    this.#lastId += 1n;
    return this.#lastId;
  }

  async keepAlive(id: LeaseId, timeoutMs?: number): Promise<LeaseTime | undefined> {
    return this.timeOf(id, timeoutMs);
  }

  async timeOf(id: LeaseId, timeoutMs?: number): Promise<LeaseTime | undefined> {
    await this.#quorum(timeoutMs);
    const lease = this.#store.lease(id);
    return lease && { grantedTtl: lease.grantedTtl, remainingTtl: lease.grantedTtl };
  }

  grantedTtl(id: LeaseId): bigint | undefined {
    return this.#store.lease(id)?.grantedTtl;
  }

  async list(): Promise<readonly LeaseId[]> {
    const ids: LeaseId[] = [];
    for await (const some of this.#store.leases()) ids.push(...some.map(([id]) => id));
    return ids;
  }

  async keysOf(id: LeaseId): Promise<readonly Uint8Array[]> {
    const all = create(RangeOperationSchema, { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) });
    const result = await this.#store.range(all);
    return result.kind === "range"
      ? result.found.filter(({ lease }) => lease === id).map(({ key }) => key)
      : [];
  }
}

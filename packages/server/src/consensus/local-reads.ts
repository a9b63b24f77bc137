/** Reads what this member has applied. */
import {
  DamagedRecordError,
  type HistoryHash,
  type KeyValue,
  type Lease,
  type LeaseId,
  type PageBounds,
  type RangeOperation,
  type RangeResult,
  type Revision,
  type Store,
} from "@dkv/store";
import { DamageError } from "../storage/damage.ts";
import { DkvError } from "../platform/errors.ts";
import { refusedError } from "./refusals.ts";

export interface LocalReadsDeps {
  readonly store: Store;
  /** Why what is here must not be read; undefined if it may be. */
  readonly refusal: () => DkvError | undefined;
  /** Why reading may fail that has begun; undefined while the member runs. */
  readonly ending: () => DkvError | undefined;
  /** Ends the process: what else the disk has lost is not known. */
  readonly fatal: (error: unknown) => void;
}

export class LocalReads {
  readonly #deps: LocalReadsDeps;
  /** Counts the states of which this was told that they have replaced another one. */
  #states = 0;

  constructor(deps: LocalReadsDeps) {
    this.#deps = deps;
  }

  /** The state of another member has taken the place of the one here: what was not read to its end begins anew. */
  restored(): void {
    this.#states += 1;
  }

  /** Throws a DkvError. */
  get(key: Uint8Array): KeyValue | undefined {
    return this.#readingAtOnce((store) => store.get(key));
  }

  /** Undefined if there is none. Throws a DkvError. */
  lease(id: LeaseId): Lease | undefined {
    return this.#readingAtOnce((store) => store.lease(id));
  }

  /** Rejects with a DkvError. */
  range(operation: RangeOperation, page?: PageBounds): Promise<RangeResult> {
    return this.#reading(async (store) => {
      const result = await store.range(operation, page);
      if (result.kind === "refused") throw refusedError(result, store.compaction.revision);
      return result;
    });
  }

  /** Rejects with a DkvError. */
  hashHistory(through: Revision): Promise<HistoryHash> {
    return this.#reading(async (store) => {
      const result = await store.hashHistory(through);
      if (result.kind === "refused") throw refusedError(result, store.compaction.revision);
      return result;
    });
  }

  /** All there are, in no order. Rejects with a DkvError. */
  leases(): Promise<readonly LeaseId[]> {
    return this.#reading(async (store) => {
      const ids: LeaseId[] = [];
      for await (const rows of store.leases()) for (const [id] of rows) ids.push(id);
      return ids;
    });
  }

  /** Keys of a lease, in their order. Rejects with a DkvError. */
  keysOfLease(id: LeaseId): Promise<readonly Uint8Array[]> {
    return this.#reading((store) => store.keysOfLease(id));
  }

  #readingAtOnce<Result>(read: (store: Store) => Result): Result {
    const { store, refusal, fatal } = this.#deps;
    const refused = refusal();
    if (refused !== undefined) throw refused;
    try {
      return read(store);
    } catch (error) {
      fatal(error);
      throw error;
    }
  }

  async #reading<Result>(read: (store: Store) => Promise<Result>): Promise<Result> {
    const { store, refusal, ending, fatal } = this.#deps;
    for (;;) {
      const refused = refusal();
      if (refused !== undefined) throw refused;
      const states = this.#states;
      try {
        return await read(store);
      } catch (error) {
        // The disk that was read is closed when another state takes over: it is read there.
        if (states !== this.#states && !(error instanceof DkvError)) continue;
        if (error instanceof DamagedRecordError || error instanceof DamageError) fatal(error);
        throw ending() ?? error;
      }
    }
  }
}

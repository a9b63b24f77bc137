/** A store with its disk, as the tests that tell stories use them. */
import assert from "node:assert/strict";
import type { Origin } from "../src/auth/auth-state.ts";
import type { LoggedOperation, RangeOperation } from "../src/operation.ts";
import type { ApplyResult, KeyValue } from "../src/results.ts";
import { type Applied, Store, type StoreOptions } from "../src/store.ts";
import type { Change, Place } from "../src/version.ts";
import { command, removeHistory } from "./commands.ts";
import { Disk } from "./disk.ts";

export const options: StoreOptions = { cacheBytes: 10_000 };

export class Play {
  readonly disk: Disk;
  readonly #options: StoreOptions;
  store: Store;
  term = 1;

  constructor(disk: Disk = new Disk(), storeOptions: StoreOptions = options) {
    this.disk = disk;
    this.#options = storeOptions;
    this.store = new Store(disk, storeOptions);
  }

  /** Applies the next entry, and tells all that came of it. */
  async applied(operation: LoggedOperation, origin?: Origin): Promise<Applied> {
    const place = { index: this.store.appliedIndex + 1, term: this.term };
    const decoded = command(operation, origin);
    const prepared = await this.store.prepare(decoded, true);
    return this.store.apply(place, decoded, { prepared, isWanted: true });
  }

  async do(operation: LoggedOperation, origin?: Origin): Promise<ApplyResult> {
    return (await this.applied(operation, origin)).result;
  }

  /** As {@link do}, of what needs no preparation. */
  now(operation: LoggedOperation, origin?: Origin): ApplyResult {
    const place = { index: this.store.appliedIndex + 1, term: this.term };
    const decoded = command(operation, origin);
    assert.equal(this.store.prepare(decoded, true), undefined);
    return this.store.apply(place, decoded, { isWanted: true }).result;
  }

  save(): void {
    if (!this.store.hasChanges()) return;
    this.disk.write(this.store.takeChanges());
    this.store.persisted();
  }

  /** What was not saved is lost. */
  reopen(): void {
    this.store = new Store(this.disk, this.#options);
  }

  /** The value of a key; undefined if it is missing. */
  value(key: string): string | undefined {
    return textOf(this.store.get(Buffer.from(key, "latin1"))?.value);
  }

  /** What a range finds, as "key=value"; or why it is refused. */
  async found(operation: RangeOperation): Promise<readonly string[] | string> {
    const result = await this.store.range(operation);
    return result.kind === "range" ? result.found.map(rowOf) : result.reason;
  }

  async history(from: Place, through: number = this.store.revision): Promise<readonly string[]> {
    const rows: string[] = [];
    for await (const changes of this.store.history(from, through)) rows.push(...changes.map(changeName));
    return rows;
  }
}

/** Until nothing that was given up is left. Returns how many pieces that has taken. */
export async function removeAll(play: Play): Promise<number> {
  let pieces = 0;
  for (; !play.store.compaction.isRemoved; pieces += 1) await play.do(removeHistory);
  return pieces;
}

export const textOf = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString("latin1");

export const rowOf = ({ key, value }: KeyValue): string => `${textOf(key) ?? ""}=${textOf(value) ?? ""}`;

/** Such as "4.0 a=1", or "5.0 a deleted". */
export const changeName = ({ key, made }: Change): string =>
  `${String(made.modRevision)}.${String(made.sub)} ${key}${made.isDeleted ? " deleted" : `=${made.value}`}`;

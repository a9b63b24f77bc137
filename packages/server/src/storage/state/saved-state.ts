/**
 * The state machine's records in LevelDB, one synced batch for each time that they are saved.
 *
 *   batch   marker · markers that are of no more use, deleted · the store's changes, or the log's new base
 *
 * Invariant: one batch is written at a time, for two that are not awaited may swap.
 */
import { logIndex, type LogIndex } from "@dkv/raft";
import { decodePosition, positionKey, type RecordChange } from "@dkv/store";
import { assert } from "../../platform/assert.ts";
import type { Clock } from "../../platform/clock.ts";
import type { LogBase } from "../log/log-base.ts";
import { BatchNumbers } from "./batch-numbers.ts";
import { isStateKey, markerKey } from "./keyspace.ts";
import { writeBufferBytes, type Batch, type Database } from "./leveldb.ts";
import { sealBase, sealMarker, type Marker } from "./records.ts";

/**
 * Records that are handed to LevelDB at once: a millisecond. A save may have ten thousand, if history is
 * removed, and everything else has its turn in between.
 */
const putAtOnce = 500;

/** What the log holds at the moment, all of it durable. */
export interface DurableLog {
  readonly lastIndex: LogIndex;
  readonly lastRecord: number;
}

export class SavedState {
  readonly #database: Database;
  readonly #clock: Pick<Clock, "soon">;
  readonly #numbers: BatchNumbers;
  /** Of the newest durable batch. */
  #marker: Marker;
  /** The batch that is being written, or was. */
  #written: Promise<void> = Promise.resolve();

  constructor(database: Database, marker: Marker, clock: Pick<Clock, "soon">) {
    this.#database = database;
    this.#clock = clock;
    this.#marker = marker;
    this.#numbers = new BatchNumbers({
      last: marker.batch,
      oldestKept: marker.oldestKept,
      safeBytes: 4 * writeBufferBytes,
    });
  }

  /** Number of the newest durable batch. */
  get batch(): number {
    return this.#marker.batch;
  }

  /** The last entry whose changes are durable. */
  get appliedIndex(): LogIndex {
    return this.#marker.appliedIndex;
  }

  /** Resolves when the changes are durable. */
  save(changes: readonly RecordChange[], log: DurableLog): Promise<void> {
    return this.#afterOther(() => {
      const appliedIndex = appliedIndexIn(changes);
      assert(appliedIndex <= log.lastIndex, "the applied index is within the log");
      return this.#write(appliedIndex, log, (batch) => this.#putChanges(batch, changes));
    });
  }

  /** Resolves when it is durable that the log begins there. */
  saveBase(base: LogBase, log: DurableLog): Promise<void> {
    return this.#afterOther(() => {
      assert(base.last.index <= this.appliedIndex, "only what was applied is dropped");
      const { key, value } = sealBase(base);
      return this.#write(this.appliedIndex, log, (batch) => {
        batch.put(key, value);
      });
    });
  }

  /** Once one has failed, all others fail the same way. */
  #afterOther(write: () => Promise<void>): Promise<void> {
    const written = this.#written.then(write);
    this.#written = written;
    // Whoever asked for it hears of a failure.
    written.catch(() => undefined);
    return written;
  }

  async #putChanges(batch: Batch, changes: readonly RecordChange[]): Promise<void> {
    for (let start = 0; start < changes.length; start += putAtOnce) {
      if (start > 0) await this.#turn();
      for (const change of changes.slice(start, start + putAtOnce)) putChange(batch, change);
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.soon(resolve);
    });
  }

  async #write(
    appliedIndex: LogIndex,
    log: DurableLog,
    put: (batch: Batch) => Promise<void> | void,
  ): Promise<void> {
    const numbers = this.#numbers.next();
    const { batch: number, oldestKept } = numbers;
    const marker = { batch: number, oldestKept, appliedIndex, durableRecord: log.lastRecord };
    const batch = this.#database.batch();
    const { key, value } = sealMarker(marker);
    batch.put(key, value);
    for (const obsolete of numbers.obsolete) batch.delete(markerKey(obsolete));
    await put(batch);
    await batch.commit();
    this.#numbers.written(numbers, batch.bytes);
    this.#marker = marker;
  }
}

/** The store's position is the last of its changes. */
function appliedIndexIn(changes: readonly RecordChange[]): LogIndex {
  const position = changes.at(-1);
  assert(
    position?.value !== undefined && Buffer.compare(position.key, positionKey) === 0,
    "the store's position is the last of its changes",
  );
  return logIndex(decodePosition(position.value).appliedIndex);
}

function putChange(batch: Batch, { key, value }: RecordChange): void {
  assert(isStateKey(key), "the store's keys begin with 10 or above");
  if (value === undefined) batch.delete(key);
  else batch.put(key, value);
}

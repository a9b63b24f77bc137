/**
 * The state machine's records in LevelDB, one synced batch for each time that they are saved.
 *
 *   batch   marker · markers that are of no more use, deleted · the store's changes
 *
 * Invariant: one batch is written at a time, for two that are not awaited may swap.
 */
import { logIndex, type LogIndex } from "@dkv/raft";
import { decodePosition, positionKey, type Change } from "@dkv/store";
import { assert } from "../../platform/assert.ts";
import { BatchNumbers } from "./batch-numbers.ts";
import { isStateKey, markerKey } from "./keyspace.ts";
import { writeBufferBytes, type Batch, type Database } from "./leveldb.ts";
import { sealMarker, type Marker } from "./records.ts";

/** What the log holds at the moment, all of it durable. */
export interface DurableLog {
  readonly lastIndex: LogIndex;
  readonly lastRecord: number;
}

export class SavedState {
  readonly #database: Database;
  readonly #numbers: BatchNumbers;
  /** Of the newest durable batch. */
  #marker: Marker;

  constructor(database: Database, marker: Marker) {
    this.#database = database;
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

  /** Resolves when the changes are durable. */
  async save(changes: readonly Change[], log: DurableLog): Promise<void> {
    const numbers = this.#numbers.next();
    const appliedIndex = appliedIndexIn(changes);
    assert(appliedIndex <= log.lastIndex, "the applied index is within the log");
    const { batch: number, oldestKept } = numbers;
    const marker = { batch: number, oldestKept, appliedIndex, durableRecord: log.lastRecord };
    const batch = this.#database.batch();
    const { key, value } = sealMarker(marker);
    batch.put(key, value);
    for (const obsolete of numbers.obsolete) batch.delete(markerKey(obsolete));
    for (const change of changes) putChange(batch, change);
    await batch.commit();
    this.#numbers.written(numbers, batch.bytes);
    this.#marker = marker;
  }
}

/** The store's position is the last of its changes. */
function appliedIndexIn(changes: readonly Change[]): LogIndex {
  const position = changes.at(-1);
  assert(
    position?.value !== undefined && Buffer.compare(position.key, positionKey) === 0,
    "the store's position is the last of its changes",
  );
  return logIndex(decodePosition(position.value).appliedIndex);
}

function putChange(batch: Batch, { key, value }: Change): void {
  assert(isStateKey(key), "the store's keys begin with 10 or above");
  if (value === undefined) batch.delete(key);
  else batch.put(key, value);
}

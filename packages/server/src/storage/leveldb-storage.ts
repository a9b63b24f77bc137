/**
 * A member's storage: log, hard state and the state machine's records in one LevelDB, one synced batch
 * for each turn.
 *
 *   batch   marker with the hard state · entries · deletes of entries overwritten · the store's changes
 *
 * Invariants: one batch is written at a time, for two that are not awaited may swap; after a failed
 * write nothing is written any more, because nobody knows what the disk has; the witness is never ahead
 * of what is synced.
 */
import { logIndex, type HardState, type LogIndex } from "@dkv/raft";
import { decodePosition, positionKey, type Change } from "@dkv/store";
import { assert } from "../platform/assert.ts";
import { BatchNumbers, type NextBatch } from "./batch-numbers.ts";
import { sealEntries } from "./entry-codec.ts";
import { entryKey, isStateKey, markerKey } from "./keyspace.ts";
import { writeBufferBytes, type Batch, type Database } from "./leveldb.ts";
import { LogStore } from "./log-store.ts";
import { sealMarker, type Marker } from "./records.ts";
import type { Identity, MemberRecord, Storage, TurnBatch } from "./storage.ts";
import type { Verified } from "./verify.ts";
import type { Witness } from "./witness.ts";

/** Entries kept in memory, for followers that are a little behind. */
const recentEntriesBytes = 8 * 2 ** 20;

export interface LevelDbStorageDeps {
  readonly database: Database;
  readonly witness: Witness;
  readonly identity: Identity;
  readonly verified: Verified;
}

export class LevelDbStorage implements Storage {
  readonly identity: Identity;
  readonly members: readonly MemberRecord[];
  readonly hardState: HardState;
  readonly log: LogStore;
  readonly state: Database;
  readonly #witness: Witness;
  readonly #numbers: BatchNumbers;
  /** Of the newest durable batch. */
  #marker: Marker;
  #writing: Promise<void> | undefined;
  #stopped: "open" | "failed" | "closed" = "open";

  constructor({ database, witness, identity, verified }: LevelDbStorageDeps) {
    this.identity = identity;
    this.members = verified.members;
    this.hardState = verified.marker.hardState;
    this.log = new LogStore(database, {
      lastIndex: verified.marker.lastIndex,
      cacheBytes: recentEntriesBytes,
    });
    this.state = database;
    this.#witness = witness;
    this.#marker = verified.marker;
    this.#numbers = new BatchNumbers({
      last: verified.marker.batch,
      oldestKept: verified.marker.oldestKept,
      safeBytes: 4 * writeBufferBytes,
    });
  }

  write(batch: TurnBatch): Promise<void> {
    if (this.#stopped !== "open") return Promise.reject(new Error(stoppedTexts[this.#stopped]));
    assert(this.#writing === undefined, "one batch is written at a time");
    if (isEmpty(batch)) return Promise.resolve();
    this.#writing = this.#write(batch).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Waits for the batch being written. */
  async close(): Promise<void> {
    if (this.#stopped === "closed") return;
    await this.#writing?.catch(() => undefined);
    this.#stopped = "closed";
    this.#witness.close();
    await this.state.close();
  }

  async #write(turn: TurnBatch): Promise<void> {
    const numbers = this.#numbers.next();
    const marker = this.#markerAfter(turn, numbers);
    const batch = this.state.batch();
    put(batch, sealMarker(marker));
    for (const number of numbers.obsolete) batch.delete(markerKey(number));
    for (const entry of sealEntries(turn.entries)) put(batch, entry);
    for (const index of this.log.obsoleteAfter(turn.entries)) batch.delete(entryKey(index));
    putChanges(batch, turn);
    try {
      await batch.commit();
      this.#witness.record(marker.batch);
    } catch (error) {
      this.#stopped = "failed";
      throw error;
    }
    this.#numbers.written(numbers, batch.bytes);
    this.#marker = marker;
    this.log.appended(turn.entries);
  }

  /** What will hold once the batch is in; checked now as {@link verify} will check it at the next start. */
  #markerAfter(
    { hardState = this.#marker.hardState, entries, changes }: TurnBatch,
    numbers: NextBatch,
  ): Marker {
    this.log.checkAppend(entries);
    const last = entries.at(-1);
    const lastIndex = last?.index ?? this.#marker.lastIndex;
    const appliedIndex = appliedIndexIn(changes) ?? this.#marker.appliedIndex;
    assert(hardState.term >= this.#marker.hardState.term, "the current term never decreases");
    assert(
      last === undefined || last.term <= hardState.term,
      "no entry is of a later term than the current one",
    );
    assert(hardState.commit <= lastIndex, "the commit index is within the log");
    assert(appliedIndex <= lastIndex, "the applied index is within the log");
    return { batch: numbers.batch, oldestKept: numbers.oldestKept, lastIndex, appliedIndex, hardState };
  }
}

/** The store's position is the last of its changes, if there are any. */
function appliedIndexIn(changes: readonly Change[]): LogIndex | undefined {
  const position = changes.findLast(({ key }) => Buffer.compare(key, positionKey) === 0)?.value;
  return position === undefined ? undefined : logIndex(decodePosition(position).appliedIndex);
}

const stoppedTexts = {
  failed: "stopped after a failed write: nobody knows what the disk holds until the next start",
  closed: "the storage is closed",
} as const;

const isEmpty = ({ hardState, entries, changes }: TurnBatch): boolean =>
  hardState === undefined && entries.length === 0 && changes.length === 0;

function put(batch: Batch, { key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }): void {
  batch.put(key, value);
}

function putChanges(batch: Batch, { changes }: TurnBatch): void {
  for (const { key, value } of changes) {
    assert(isStateKey(key), "the store's keys begin with 10 or above");
    if (value === undefined) batch.delete(key);
    else batch.put(key, value);
  }
}

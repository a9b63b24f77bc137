/**
 * A member's storage: log, hard state and the state machine's records in one LevelDB, one synced batch
 * for each turn.
 *
 *   batch   marker · hard state · entries · deletes of entries overwritten · the store's changes
 *
 * Invariants: one batch is written at a time, for two that are not awaited may swap; after a failed
 * write nothing is written any more, because nobody knows what the disk has; the witness is never ahead
 * of what is synced.
 */
import type { EntryId, HardState, Term } from "@dkv/raft";
import { assert } from "../platform/assert.ts";
import { BatchNumbers } from "./batch-numbers.ts";
import { sealEntries } from "./entry-codec.ts";
import { entryKey, isStateKey, markerKey } from "./keyspace.ts";
import { writeBufferBytes, type Batch, type Database } from "./leveldb.ts";
import { LogStore } from "./log-store.ts";
import { sealHardState, sealMarker } from "./records.ts";
import type { Identity, MemberRecord, Storage, TurnBatch } from "./storage.ts";
import type { Verified } from "./verify.ts";
import type { Witness } from "./witness.ts";

/** Entries kept in memory, for followers that are a little behind. */
const recentEntriesBytes = 16 * 2 ** 20;

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
  #term: Term;
  #writing: Promise<void> | undefined;
  #stopped: "open" | "failed" | "closed" = "open";

  constructor({ database, witness, identity, verified }: LevelDbStorageDeps) {
    this.identity = identity;
    this.members = verified.members;
    this.hardState = verified.hardState;
    this.log = new LogStore(database, { lastIndex: verified.last.index, cacheBytes: recentEntriesBytes });
    this.state = database;
    this.#witness = witness;
    this.#term = verified.hardState.term;
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
    const end = this.#endAfter(turn);
    const batch = this.state.batch();
    put(batch, sealMarker({ batch: numbers.batch, oldestKept: numbers.oldestKept, lastIndex: end.index, term: end.term }));
    for (const number of numbers.obsolete) batch.delete(markerKey(number));
    if (turn.hardState !== undefined) put(batch, sealHardState(turn.hardState));
    for (const entry of sealEntries(turn.entries)) put(batch, entry);
    for (const index of this.log.obsoleteAfter(turn.entries)) batch.delete(entryKey(index));
    putChanges(batch, turn);
    try {
      await batch.commit();
      this.#witness.record(numbers.batch);
    } catch (error) {
      this.#stopped = "failed";
      throw error;
    }
    this.#numbers.written(numbers, batch.bytes);
    this.#term = end.term;
    this.log.appended(turn.entries);
  }

  /** Checks what a batch claims before it is written, in the words in which {@link verify} checks it later. */
  #endAfter({ hardState, entries }: TurnBatch): EntryId {
    this.log.checkAppend(entries);
    const term = hardState?.term ?? this.#term;
    const last = entries.at(-1);
    const index = last?.index ?? this.log.lastIndex;
    assert(term >= this.#term, "the current term never decreases");
    assert(last === undefined || last.term <= term, "no entry is of a later term than the current one");
    assert(hardState === undefined || hardState.commit <= index, "the commit index is within the log");
    return { index, term };
  }
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

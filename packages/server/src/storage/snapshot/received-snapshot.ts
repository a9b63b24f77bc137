/**
 * A snapshot on its way in: a database of its own, which becomes a member's state once all of it is there.
 *
 *   nothing ──write──▶ a part, and how far it goes ──finish──▶ complete ──takeOver──▶ a member's state
 *                        ▲            │ crash, broken connection
 *                        └────────────┘ goes on with the chunk after the last durable one
 *
 * Each chunk is one synced batch: its records, and a record that says how far they go. As long as that one is
 * there, the database is no member's state.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { LogIndex } from "@dkv/raft";
import {
  checkPosition,
  checkTrailer,
  chunksOf,
  DamagedSnapshotError,
  decodeChunk,
  decodeHeader,
  encodeHeader,
  noTrailer,
  snapshotStart,
  type SnapshotHeader,
  type SnapshotProgress,
  type SnapshotTrailer,
  type StateRecord,
} from "@dkv/snapshot";
import { checkRecord, DamagedRecordError, readPosition } from "@dkv/store";
import { assert } from "../../platform/assert.ts";
import { DamageError } from "../damage.ts";
import { incomingKey, stateKeys } from "../state/keyspace.ts";
import { Database, OpenError } from "../state/leveldb.ts";
import { sealPart, unsealPart, type ReceivedPart } from "./progress.ts";

type Phase = "receiving" | "complete" | "spoilt" | "takenOver" | "closed";

const phaseTexts = {
  complete: "all of it is there",
  spoilt: "what was stored of it is damaged, and has to be received anew",
  takenOver: "it has become a member's state",
  closed: "it was closed",
} as const;

export class ReceivedSnapshot {
  readonly header: SnapshotHeader;
  readonly #database: Database;
  readonly #headerBytes: Uint8Array;
  #progress: SnapshotProgress;
  #phase: Phase = "receiving";
  #working: Promise<void> | undefined;

  private constructor(header: SnapshotHeader, database: Database, progress: SnapshotProgress) {
    this.header = header;
    this.#headerBytes = encodeHeader(header);
    this.#database = database;
    this.#progress = progress;
  }

  /**
   * Goes on with what the directory holds of this very snapshot; anything else in it is deleted, for nobody
   * was promised it. The directory is the snapshot's alone; the one above it exists.
   */
  static async open(directory: string, header: SnapshotHeader): Promise<ReceivedSnapshot> {
    const headerBytes = encodeHeader(header);
    const begun = await openBegun(directory, headerBytes);
    if (begun !== undefined) return new ReceivedSnapshot(header, begun.database, begun.progress);
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { mode: 0o700 });
    const database = await Database.open(directory, "create");
    return new ReceivedSnapshot(header, database, snapshotStart(headerBytes));
  }

  /** Chunks that are durable here: the next one expected is one more. */
  get received(): number {
    return this.#progress.chunks;
  }

  /** Whether {@link finish} has found that everything is there. */
  get isComplete(): boolean {
    return this.#phase === "complete";
  }

  /**
   * Resolves when the chunk is durable. One at a time, in order. What is not the chunk that follows is
   * rejected with {@link DamagedSnapshotError}; the right one may be written after that.
   */
  write(chunk: Uint8Array): Promise<void> {
    return this.#work(async () => {
      const { records, progress } = decodeChunk(chunk, this.#progress);
      checkRecords(records);
      const batch = this.#database.batch();
      for (const [key, value] of records) batch.put(key, value);
      batch.put(incomingKey, sealPart({ header: this.#headerBytes, progress }));
      await batch.commit();
      this.#progress = progress;
    });
  }

  /**
   * Makes sure that everything is there, by reading all of it once more: LevelDB does not tell what it lost.
   * Rejects with {@link DamagedSnapshotError}. A wrong trailer changes nothing; if it is the stored state
   * that is wrong, {@link open} begins anew after that.
   */
  async finish(trailer: SnapshotTrailer): Promise<void> {
    checkTrailer(trailer, this.#progress);
    if (this.#phase === "complete") return;
    await this.#work(async () => {
      try {
        await this.#checkStored(trailer);
      } catch (error) {
        if (isDamage(error)) await this.#spoil();
        throw error;
      }
      if (this.#phase === "receiving") this.#phase = "complete";
    });
  }

  /**
   * Hands over the complete database. Who takes it deletes {@link incomingKey} in the very batch that makes
   * it a member's state, and closes it.
   */
  takeOver(): Database {
    assert(this.#phase === "complete", "only a complete snapshot is taken over");
    this.#phase = "takenOver";
    return this.#database;
  }

  /** Keeps what was received, for a later {@link open}. Waits for what is being written. */
  async close(): Promise<void> {
    if (this.#phase === "takenOver" || this.#phase === "closed") return;
    this.#phase = "closed";
    await this.#working?.catch(() => undefined);
    await this.#database.close();
  }

  async #work(work: () => Promise<void>): Promise<void> {
    if (this.#phase !== "receiving")
      throw new Error(`nothing of the snapshot can be received: ${phaseTexts[this.#phase]}`);
    assert(this.#working === undefined, "one chunk is written at a time");
    const working = work();
    this.#working = working;
    try {
      await working;
    } finally {
      this.#working = undefined;
    }
  }

  async #checkStored(trailer: SnapshotTrailer): Promise<void> {
    await this.#database.settle();
    const { records, chain } = await this.#storedTrailer();
    checkTrailer(trailer, { ...this.#progress, records, chain });
    checkPosition(this.header, readPosition(this.#database));
  }

  /** Its count of chunks is that of chunks made here, which may be others. */
  async #storedTrailer(): Promise<SnapshotTrailer> {
    const chunks = chunksOf(this.#database.records(stateKeys), { header: this.#headerBytes });
    for (;;) {
      const next = await chunks.next();
      if (next.done === true) return next.value;
      if (this.#phase === "receiving") continue;
      await chunks.return(noTrailer);
      throw new Error("stopped: the snapshot was closed while it was checked");
    }
  }

  async #spoil(): Promise<void> {
    const batch = this.#database.batch();
    batch.delete(incomingKey);
    await batch.commit();
    if (this.#phase === "receiving") this.#phase = "spoilt";
  }
}

/** A snapshot's checksums are made of what its sender has read, a record's of what was once written. */
function checkRecords(records: readonly StateRecord[]): void {
  try {
    for (const [key, value] of records) checkRecord(key, value);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    throw new DamagedSnapshotError(`the member that sends a snapshot has it damaged: ${error.message}`, {
      cause: error,
    });
  }
}

/** The last entry of the snapshot that the directory holds a part of; undefined if nothing of any use. */
export async function lastReceivedIn(directory: string): Promise<LogIndex | undefined> {
  const found = await openStored(directory);
  if (found === undefined) return undefined;
  try {
    return decodeHeader(found.part.header).last.index;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  } finally {
    await found.database.close();
  }
}

interface BegunSnapshot {
  readonly database: Database;
  readonly progress: SnapshotProgress;
}

/** What the directory holds of the snapshot with this header; undefined if nothing that is of any use. */
async function openBegun(directory: string, header: Uint8Array): Promise<BegunSnapshot | undefined> {
  const found = await openStored(directory);
  if (found === undefined) return undefined;
  const { database, part } = found;
  if (Buffer.compare(part.header, header) === 0) return { database, progress: part.progress };
  await database.close();
  return undefined;
}

interface StoredSnapshot {
  readonly database: Database;
  readonly part: ReceivedPart;
}

/** Of whichever snapshot it is. */
async function openStored(directory: string): Promise<StoredSnapshot | undefined> {
  if (!existsSync(join(directory, "CURRENT"))) return undefined;
  let database: Database | undefined;
  try {
    database = await Database.open(directory, "existing");
    const stored = database.get(incomingKey);
    const part = stored && unsealPart(stored);
    if (part !== undefined) return { database, part };
  } catch (error) {
    await database?.close();
    if (!isDamage(error)) throw error;
    return undefined;
  }
  await database.close();
  return undefined;
}

function isDamage(error: unknown): boolean {
  if (error instanceof OpenError) return error.failure !== "locked";
  return (
    error instanceof DamageError ||
    error instanceof DamagedRecordError ||
    error instanceof DamagedSnapshotError
  );
}

/** The durable state as it was at one moment, in chunks. */
import { chunksOf, encodeHeader, noTrailer, type SnapshotHeader, type SnapshotTrailer } from "@dkv/snapshot";
import { logIndex, term, type Configuration, type LogIndex } from "@dkv/raft";
import { checkRecord, DamagedRecordError, readPosition } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";
import { DamageError } from "../damage.ts";
import { stateKeys } from "../state/keyspace.ts";
import { ClosedError, type Database, type FrozenDatabase } from "../state/leveldb.ts";

export interface SnapshotOptions {
  /** Drawn at random for each snapshot. */
  readonly snapshotId: bigint;
  readonly clusterId: bigint;
  /** The configuration in force at an index. */
  readonly configurationAt: (index: LogIndex) => Configuration;
  /** Bytes of a chunk's records; 256 KiB unless said otherwise. */
  readonly chunkBytes?: number;
}

/**
 * Costs nothing but what LevelDB must keep for it, and that until it is closed. Writes nothing; what is
 * written meanwhile is not in it.
 */
export class TakenSnapshot {
  readonly header: SnapshotHeader;
  readonly #frozen: FrozenDatabase;
  readonly #chunkBytes: number | undefined;
  /** That have begun, and have not come to their end. */
  readonly #readers = new Set<AsyncGenerator<Buffer, SnapshotTrailer>>();
  #isClosed = false;

  private constructor(header: SnapshotHeader, frozen: FrozenDatabase, chunkBytes: number | undefined) {
    this.header = header;
    this.#frozen = frozen;
    this.#chunkBytes = chunkBytes;
  }

  /** Synchronous, so that position and records are those of one moment. Throws {@link DamagedRecordError}. */
  static take(database: Database, options: SnapshotOptions): TakenSnapshot {
    const { snapshotId, clusterId, configurationAt, chunkBytes } = options;
    const frozen = database.snapshot();
    try {
      const { appliedIndex, appliedTerm, revision } = readPosition(frozen);
      const last = { index: logIndex(appliedIndex), term: term(appliedTerm) };
      const configuration = configurationAt(last.index);
      return new TakenSnapshot({ snapshotId, clusterId, last, configuration, revision }, frozen, chunkBytes);
    } catch (error) {
      frozen.close().catch(() => undefined);
      throw error;
    }
  }

  /**
   * The chunks after the first `skip`, each the same bytes every time; then the trailer. One chunk is in
   * memory at a time. Who stops before the end calls `return`, as a loop does on its own. Rejects with
   * {@link DamageError} at a record that is not what was written, with "stopping" once the database is closed.
   */
  chunks(skip: number): AsyncGenerator<Buffer, SnapshotTrailer> {
    if (this.#isClosed) throw new Error("the snapshot is closed");
    return this.#read(skip);
  }

  /** Ends what is being read, then lets LevelDB forget. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#readers].map((reader) => reader.return(noTrailer)));
    await this.#frozen.close();
  }

  async *#read(skip: number): AsyncGenerator<Buffer, SnapshotTrailer> {
    // Closed before anything was asked for: nothing is opened that nobody would close.
    if (this.#isClosed) return noTrailer;
    const chunkBytes = this.#chunkBytes === undefined ? {} : { chunkBytes: this.#chunkBytes };
    const records = recordsOf(this.#frozen);
    const reader = chunksOf(records, { header: encodeHeader(this.header), skip, ...chunkBytes });
    this.#readers.add(reader);
    try {
      return yield* reader;
    } finally {
      this.#readers.delete(reader);
    }
  }
}

/**
 * Until the member stops, or the whole database is replaced by another member's. Each record is looked at:
 * what the disk has changed here would be stored elsewhere under a checksum that makes it look right.
 */
async function* recordsOf(frozen: FrozenDatabase): ReturnType<FrozenDatabase["records"]> {
  try {
    for await (const record of frozen.records(stateKeys)) {
      checkRecord(...record);
      yield record;
    }
  } catch (error) {
    if (error instanceof DamagedRecordError)
      throw new DamageError(`the state cannot be passed on: ${error.message}`, { cause: error });
    if (!(error instanceof ClosedError)) throw error;
    throw new DkvError(
      "stopping",
      "the state that was being read is not here any more: the member is stopping, or got the state of another one",
      { cause: error },
    );
  }
}

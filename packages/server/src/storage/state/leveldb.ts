/**
 * LevelDB, as little of it as dkv needs. The only file that knows classic-level.
 *
 * Every batch is synced. LevelDB does not sync a log file when it changes to the next, so one batch that
 * is not synced could be lost although a later one survives.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel, type ChainedBatch, type Iterator } from "classic-level";
import type { StateReader, StateScanner, StoredRecord } from "@dkv/store";
import { DamageError } from "../damage.ts";
import type { KeyRange } from "./keyspace.ts";

const mebibyte = 2 ** 20;

/** The size at which LevelDB starts the next log file; it holds at most two of them in memory. */
export const writeBufferBytes = 16 * mebibyte;

const levelOptions = {
  keyEncoding: "buffer",
  valueEncoding: "buffer",
  writeBufferSize: writeBufferBytes,
  cacheSize: 8 * mebibyte,
  /** With this and a write buffer of 8 MiB LevelDB took a third of the writes at 256 clients: it rewrites much. */
  compression: false,
  /**
   * Tables of 8 MiB, and so many of them open. A read in one that is not costs three times as much: with a
   * million keys in tables of 2 MiB, 64 of them open, 218 µs instead of 60, for every write at every member.
   * What is open is mapped into memory, up to 1 GiB that counts as ours until the system wants it back.
   */
  maxFileSize: 8 * mebibyte,
  maxOpenFiles: 128,
} as const;

/** Records fetched at once while scanning. */
const scanCount = 1000;
const scanBytes = 1 * mebibyte;

const scanOptions = { highWaterMarkBytes: scanBytes } as const;

const beforeAllKeys = Uint8Array.of(0x00);

/** No key of ours begins with this byte. */
const beyondAllKeys = Uint8Array.of(0xff);

type Level = ClassicLevel<Uint8Array, Uint8Array>;
type LevelIterator = Iterator<Level, Uint8Array, Uint8Array>;
type LevelSnapshot = ReturnType<Level["snapshot"]>;

/** Why LevelDB did not open: another process has it, its files are damaged, or the system refused. */
export type OpenFailure = "locked" | "corrupt" | "failed";

export class OpenError extends Error {
  override readonly name = "OpenError";
  readonly failure: OpenFailure;

  constructor(failure: OpenFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** The database was closed before it was read to the end. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
}

export class Database implements StateScanner {
  readonly #directory: string;
  readonly #level: Level;

  private constructor(directory: string, level: Level) {
    this.#directory = directory;
    this.#level = level;
  }

  /** Takes LevelDB's lock: of all processes, one at a time has a directory open. Throws {@link OpenError}. */
  static async open(directory: string, mode: "create" | "existing"): Promise<Database> {
    const level: Level = new ClassicLevel(directory, { ...levelOptions, createIfMissing: mode === "create" });
    try {
      await level.open();
    } catch (error) {
      throw openError(error);
    }
    return new Database(directory, level);
  }

  /** About 4 µs. Throws {@link DamageError} if LevelDB finds its table damaged. */
  get(key: Uint8Array): Buffer | undefined {
    try {
      const value = this.#level.getSync(key);
      return value === undefined ? undefined : asBuffer(value);
    } catch (error) {
      throw explained(error);
    }
  }

  /** As {@link get} for each, on another thread. */
  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      return await this.#level.getMany([...keys]);
    } catch (error) {
      throw explained(error);
    }
  }

  /** As {@link records}, some at a time, and so many in all at most. */
  scan({ from, before }: KeyRange, most?: number): AsyncGenerator<readonly StoredRecord[]> {
    const limit = most ?? Number.POSITIVE_INFINITY;
    return batchesOf(() => this.#level.iterator({ ...scanOptions, gte: from, lt: before, limit }));
  }

  /** All records of a range in the order of their keys, as they are when the first is asked for. */
  records(range: KeyRange): AsyncGenerator<readonly [Buffer, Buffer]> {
    return oneByOne(this.scan(range));
  }

  /** What it holds now, whatever is written afterwards. To be closed: what it needs takes space until then. */
  snapshot(): FrozenDatabase {
    return new FrozenDatabase(this.#level);
  }

  /**
   * Moves everything written so far from LevelDB's log into tables. A flipped byte in the log makes LevelDB
   * skip batches without a word (batch-numbers.ts); what is missing from a table can be seen by reading it.
   */
  async settle(): Promise<void> {
    try {
      // LevelDB moves what is in memory whatever the range is, and rewrites tables only within it.
      await this.#level.compactRange(beyondAllKeys, beyondAllKeys);
    } catch (error) {
      throw explained(error);
    }
  }

  /** Size of all tables, about, and of LevelDB's log, which has what is in no table yet. */
  async bytes(): Promise<number> {
    try {
      const tableBytes = await this.#level.approximateSize(beforeAllKeys, beyondAllKeys);
      return tableBytes + (await bytesOfLogs(this.#directory));
    } catch (error) {
      throw explained(error);
    }
  }

  /** Rewrites tables without what was deleted from them. Waits for that; nothing else has to. */
  async reclaim(): Promise<void> {
    try {
      await this.#level.compactRange(beforeAllKeys, beyondAllKeys);
    } catch (error) {
      throw explained(error);
    }
  }

  /** Whether there is no record, or none in the range. */
  async isEmpty(range?: KeyRange): Promise<boolean> {
    const bounds = range === undefined ? {} : { gte: range.from, lt: range.before };
    const iterator = this.#level.keys({ ...bounds, limit: 1 });
    try {
      return (await iterator.next()) === undefined;
    } catch (error) {
      throw explained(error);
    } finally {
      await iterator.close();
    }
  }

  batch(): Batch {
    return new Batch(this.#level.batch());
  }

  async close(): Promise<void> {
    await this.#level.close();
  }
}

/** A database as it was at one moment. */
export class FrozenDatabase implements StateReader {
  readonly #level: Level;
  readonly #snapshot: LevelSnapshot;

  constructor(level: Level) {
    this.#level = level;
    this.#snapshot = level.snapshot();
  }

  /** As {@link Database.get}. */
  get(key: Uint8Array): Buffer | undefined {
    try {
      const value = this.#level.getSync(key, { snapshot: this.#snapshot });
      return value === undefined ? undefined : asBuffer(value);
    } catch (error) {
      throw explained(error);
    }
  }

  /** As {@link Database.records}. */
  records({ from, before }: KeyRange): AsyncGenerator<readonly [Buffer, Buffer]> {
    const options = { ...scanOptions, gte: from, lt: before, snapshot: this.#snapshot };
    return oneByOne(batchesOf(() => this.#level.iterator(options)));
  }

  /** Waits for scans that are under way. */
  async close(): Promise<void> {
    await this.#snapshot.close();
  }
}

/** Opens the iterator when the first batch is asked for: only then will anybody close it. */
async function* batchesOf(open: () => LevelIterator): AsyncGenerator<readonly StoredRecord[]> {
  let iterator: LevelIterator | undefined;
  try {
    iterator = open();
    for (;;) {
      const records = await iterator.nextv(scanCount);
      if (records.length === 0) return;
      yield records;
    }
  } catch (error) {
    throw explained(error);
  } finally {
    await iterator?.close();
  }
}

async function* oneByOne(
  batches: AsyncGenerator<readonly StoredRecord[]>,
): AsyncGenerator<readonly [Buffer, Buffer]> {
  for await (const records of batches)
    for (const [key, value] of records) yield [asBuffer(key), asBuffer(value)];
}

/** Records that become durable together or not at all. */
export class Batch {
  readonly #chained: ChainedBatch<Level, Uint8Array, Uint8Array>;
  #bytes = 0;

  constructor(chained: ChainedBatch<Level, Uint8Array, Uint8Array>) {
    this.#chained = chained;
  }

  /** Keys and values put so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies both. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#chained.put(key, value);
    this.#bytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    this.#chained.del(key);
  }

  /** Resolves once the disk has it. */
  async commit(): Promise<void> {
    await this.#chained.write({ sync: true });
  }
}

/** Two at most: one is written while the one before goes into a table. */
async function bytesOfLogs(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".log")) continue;
    const file = await stat(join(directory, name)).catch(unlessMissing);
    bytes += file?.size ?? 0;
  }
  return bytes;
}

/** A log goes as soon as all of it is in tables. */
function unlessMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function openError(error: unknown): OpenError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = codeOf(cause);
  const failure = code === "LEVEL_LOCKED" ? "locked" : code === "LEVEL_CORRUPTION" ? "corrupt" : "failed";
  return new OpenError(failure, messageOf(cause), { cause });
}

const codesOfClosed: readonly unknown[] = [
  "LEVEL_ITERATOR_NOT_OPEN",
  "LEVEL_SNAPSHOT_NOT_OPEN",
  "LEVEL_DATABASE_NOT_OPEN",
];

function explained(error: unknown): unknown {
  if (codesOfClosed.includes(codeOf(error)))
    return new ClosedError("the database was closed", { cause: error });
  if (codeOf(error) !== "LEVEL_CORRUPTION") return error;
  return new DamageError(`LevelDB found a damaged file: ${messageOf(error)}`, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

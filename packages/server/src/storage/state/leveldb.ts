/**
 * LevelDB, as little of it as dkv needs. The only file that knows classic-level.
 *
 * Every batch is synced. LevelDB does not sync a log file when it changes to the next, so one batch that
 * is not synced could be lost although a later one survives.
 */
import { ClassicLevel, type ChainedBatch } from "classic-level";
import type { StateReader } from "@dkv/store";
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
  /** Tables are mapped into memory while they are open, 2 MiB each: this bounds what counts as ours. */
  maxOpenFiles: 64,
} as const;

/** Records fetched at once while scanning. */
const scanCount = 1000;
const scanBytes = 1 * mebibyte;

type Level = ClassicLevel<Uint8Array, Uint8Array>;

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

export class Database implements StateReader {
  readonly #level: Level;

  private constructor(level: Level) {
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
    return new Database(level);
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

  /** All records of a range in the order of their keys. */
  async *scan({ from, before }: KeyRange): AsyncGenerator<readonly [Buffer, Buffer]> {
    const iterator = this.#level.iterator({ gte: from, lt: before, highWaterMarkBytes: scanBytes });
    try {
      for (;;) {
        const records = await iterator.nextv(scanCount);
        if (records.length === 0) return;
        for (const [key, value] of records) yield [asBuffer(key), asBuffer(value)];
      }
    } catch (error) {
      throw explained(error);
    } finally {
      await iterator.close();
    }
  }

  async isEmpty(): Promise<boolean> {
    const iterator = this.#level.keys({ limit: 1 });
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

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function openError(error: unknown): OpenError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = codeOf(cause);
  const failure = code === "LEVEL_LOCKED" ? "locked" : code === "LEVEL_CORRUPTION" ? "corrupt" : "failed";
  return new OpenError(failure, messageOf(cause), { cause });
}

function explained(error: unknown): unknown {
  if (codeOf(error) !== "LEVEL_CORRUPTION") return error;
  return new DamageError(`LevelDB found a damaged file: ${messageOf(error)}`, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A member's storage: the log in files of its own, the state in LevelDB.
 *
 *   append ──▶ log/     every promise; synced before anything that rests on it leaves
 *   save   ──▶ state/   what came of the entries; a crash loses at most what the log gives again
 *
 * Invariants: the state is never ahead of what is durable in the log; the log keeps every entry that the
 * durable state lacks; after a failed write to either, nothing is written to either.
 */
import type { HardState } from "@dkv/raft";
import type { Change } from "@dkv/store";
import { assert } from "../platform/assert.ts";
import type { SegmentedLog } from "./log/segmented-log.ts";
import type { Database } from "./state/leveldb.ts";
import type { SavedState } from "./state/saved-state.ts";
import type { Identity, LogBatch, MemberRecord, Storage } from "./storage.ts";

export interface MemberStorageParts {
  readonly identity: Identity;
  readonly members: readonly MemberRecord[];
  readonly hardState: HardState;
  readonly log: SegmentedLog;
  readonly database: Database;
  readonly savedState: SavedState;
}

type Part = "append" | "save";

const nothing = (): Promise<void> => Promise.resolve();

export class MemberStorage implements Storage {
  readonly identity: Identity;
  readonly members: readonly MemberRecord[];
  readonly hardState: HardState;
  readonly log: SegmentedLog;
  readonly state: Database;
  readonly #savedState: SavedState;
  readonly #writing = new Map<Part, Promise<void>>();
  #stopped: "open" | "failed" | "closed" = "open";
  #closing: Promise<void> | undefined;

  constructor({ identity, members, hardState, log, database, savedState }: MemberStorageParts) {
    this.identity = identity;
    this.members = members;
    this.hardState = hardState;
    this.log = log;
    this.state = database;
    this.#savedState = savedState;
  }

  append(batch: LogBatch): Promise<void> {
    if (batch.hardState === undefined && batch.entries.length === 0) return this.#write("append", nothing);
    return this.#write("append", () => this.log.append(batch, this.#savedState.batch));
  }

  save(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return this.#write("save", nothing);
    return this.#write("save", () => this.#savedState.save(changes, this.log));
  }

  /** Takes nothing more, and waits for what is being written. */
  close(): Promise<void> {
    this.#stopped = "closed";
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
    await this.log.close();
    await this.state.close();
  }

  async #write(part: Part, write: () => Promise<void>): Promise<void> {
    if (this.#stopped !== "open") throw new Error(stoppedTexts[this.#stopped]);
    assert(!this.#writing.has(part), "one batch is written at a time");
    const written = write();
    this.#writing.set(part, written);
    try {
      await written;
    } catch (error) {
      if (this.#stopped === "open") this.#stopped = "failed";
      throw error;
    } finally {
      this.#writing.delete(part);
    }
  }
}

const stoppedTexts = {
  failed: "stopped after a failed write: nobody knows what the disk holds until the next start",
  closed: "the storage is closed",
} as const;

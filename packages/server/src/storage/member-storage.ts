/**
 * A member's storage: the log in files of its own, the state in LevelDB.
 *
 *   append  ──▶ log/     every promise; synced before anything that rests on it leaves
 *   save    ──▶ state/   what came of the entries; a crash loses at most what the log gives again
 *   compact ──▶ both     first the state says where the log begins, then the files before that go
 *
 * Invariants: the state is never ahead of what is durable in the log; the log keeps every entry that the
 * durable state lacks; after a failed write to either, nothing is written to either.
 */
import { logIndex, type HardState, type LogIndex, type LogReader } from "@dkv/raft";
import type { SnapshotHeader } from "@dkv/snapshot";
import type { RecordChange, StateScanner } from "@dkv/store";
import type { Logger } from "pino";
import { assert } from "../platform/assert.ts";
import type { Random } from "../platform/random.ts";
import type { Generation, GenerationOptions } from "./generation/generation.ts";
import { install } from "./generation/install.ts";
import { deleteBefore } from "./generation/layout.ts";
import { Incoming } from "./incoming.ts";
import { TakenSnapshot } from "./snapshot/taken-snapshot.ts";
import type {
  IncomingSnapshot,
  InstalledSnapshot,
  LogBatch,
  PersistedBatch,
  StateSnapshot,
  Storage,
  StoredOwner,
} from "./storage.ts";

export interface FoundStorage {
  readonly identity: StoredOwner;
  readonly hardState: HardState;
  readonly generation: Generation;
}

export interface MemberStorageOptions extends GenerationOptions {
  readonly random: Pick<Random, "name">;
  readonly logger?: Logger;
}

type Part = "append" | "save" | "compact";

const nothing = (): Promise<void> => Promise.resolve();

export class MemberStorage implements Storage {
  readonly identity: StoredOwner;
  readonly hardState: HardState;
  readonly log: LogReader;
  readonly state: StateScanner;
  readonly #options: MemberStorageOptions;
  readonly #incoming: Incoming;
  #current: Generation;
  readonly #writing = new Map<Part, Promise<void>>();
  #installing: Promise<void> | undefined;
  #stopped: "open" | "failed" | "closed" = "open";
  #discarding: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor({ identity, hardState, generation }: FoundStorage, options: MemberStorageOptions) {
    this.identity = identity;
    this.hardState = hardState;
    this.#current = generation;
    this.#options = options;
    this.#incoming = new Incoming(options.dataDir);
    const current = (): Generation => this.#current;
    this.log = logOf(current);
    this.state = {
      get: (key) => current().database.get(key),
      getMany: (keys) => current().database.getMany(keys),
      scan: (range, most) => current().database.scan(range, most),
    };
  }

  get configurations(): Storage["configurations"] {
    return this.#current.log.configurations;
  }

  get logBytes(): number {
    return this.#current.log.bytes;
  }

  stateBytes(): Promise<number> {
    return this.#current.database.bytes();
  }

  reclaimState(): Promise<void> {
    return this.#current.database.reclaim();
  }

  append(batch: PersistedBatch): Promise<void> {
    const { hardState, entries, snapshot } = batch;
    if (snapshot !== undefined) return this.#write("append", () => this.#install(batch, snapshot));
    if (hardState === undefined && entries.length === 0) return this.#write("append", nothing);
    return this.#write("append", () => this.#current.log.append(batch, this.#current.savedState.batch));
  }

  save(changes: readonly RecordChange[]): Promise<void> {
    if (changes.length === 0) return this.#write("save", nothing);
    return this.#write("save", async () => {
      assert(this.#installing === undefined, "nothing is saved while a snapshot is installed");
      await this.#current.savedState.save(changes, this.#current.log);
    });
  }

  compact(upTo: LogIndex): Promise<void> {
    return this.#write("compact", async () => {
      // What could be dropped goes as a whole.
      if (this.#installing !== undefined) return;
      const { log, savedState } = this.#current;
      const base = log.nextBase(logIndex(Math.min(upTo, savedState.appliedIndex)));
      if (base === undefined) return;
      await savedState.saveBase(base, log);
      await log.dropBefore(base);
    });
  }

  takeSnapshot(): StateSnapshot {
    const { log, database } = this.#current;
    return TakenSnapshot.take(database, {
      snapshotId: this.#options.random.name(),
      clusterId: this.identity.clusterId,
      configurationAt: (index) => log.configurationAt(index),
    });
  }

  async receiveSnapshot(header: SnapshotHeader): Promise<IncomingSnapshot> {
    await this.#installing;
    this.#mustBeOpen();
    return this.#incoming.receive(this.#current.number, header);
  }

  dropReceived(header: SnapshotHeader): Promise<void> {
    return this.#incoming.drop(header);
  }

  /** Takes nothing more, and waits for what is being written. */
  close(): Promise<void> {
    this.#stopped = "closed";
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
    await this.#incoming.close();
    await this.#current.log.close();
    await this.#current.database.close();
    await this.#discarding;
  }

  #install(batch: LogBatch, snapshot: InstalledSnapshot): Promise<void> {
    assert(!this.#writing.has("save"), "nothing is saved while a snapshot is installed");
    const installing = this.#switchTo(batch, snapshot);
    this.#installing = installing.finally(() => (this.#installing = undefined));
    return this.#installing;
  }

  async #switchTo(
    { hardState, entries }: LogBatch,
    { last, configuration }: InstalledSnapshot,
  ): Promise<void> {
    await this.#writing.get("compact");
    const old = this.#current;
    const { number, database } = await this.#incoming.takeOver(last);
    const { identity } = this;
    const content = { last, configuration, hardState: hardState ?? old.log.hardState, entries };
    this.#current = await install({ number, identity, database, ...content }, this.#options);
    this.#discarding = this.#discarding.then(() => this.#discard(old, number));
  }

  /** What is left when the process ends before the end of it goes at the next start. */
  async #discard({ log, database }: Generation, current: number): Promise<void> {
    try {
      await log.close();
      await database.close();
      await deleteBefore(this.#options.dataDir, current);
    } catch (error) {
      this.#options.logger?.warn(error, "an old generation of the data is left, and goes at the next start");
    }
  }

  #mustBeOpen(): void {
    if (this.#stopped !== "open") throw new Error(stoppedTexts[this.#stopped]);
  }

  async #write(part: Part, write: () => Promise<void>): Promise<void> {
    this.#mustBeOpen();
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

/** What is in a generation may be another one's by the next call. */
function logOf(current: () => Generation): LogReader {
  return {
    get firstIndex() {
      return current().log.firstIndex;
    },
    get lastIndex() {
      return current().log.lastIndex;
    },
    termAt: (index) => current().log.termAt(index),
    entries: (from, to, maxBytes) => current().log.entries(from, to, maxBytes),
  };
}

const stoppedTexts = {
  failed: "stopped after a failed write: nobody knows what the disk holds until the next start",
  closed: "the storage is closed",
} as const;

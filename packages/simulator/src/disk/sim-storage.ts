/**
 * A member's storage on a simulated disk. It keeps the promises of the production one, with its codecs: log
 * and state are written apart, a batch is durable when the disk says so, and what a crash leaves is what the
 * disk was doing.
 */
import { type HardState, logIndex, type LogIndex, type LogReader } from "@dkv/raft";
import { decodePosition, positionKey, type RecordChange, type StateScanner } from "@dkv/store";
import { assert } from "@dkv/server/platform/assert";
import { isStateKey } from "@dkv/server/storage/state/keyspace";
import type {
  IncomingSnapshot,
  LogBatch,
  StoredOwner,
  PersistedBatch,
  StateSnapshot,
  Storage,
} from "@dkv/server/storage/storage";
import type { SnapshotHeader } from "@dkv/snapshot";
import type { Hardware } from "./hardware.ts";
import { Incoming } from "./incoming.ts";
import { LogImage, torn } from "./log-image.ts";
import { freshGeneration, type Generation, keyText, type Platter } from "./platter.ts";
import { scannerOf } from "./state-scanner.ts";
import { takeSnapshot } from "./taken-snapshot.ts";

export interface SimStorageDeps {
  readonly platter: Platter;
  readonly hardware: Pick<Hardware, "write" | "read">;
  /** Names a snapshot. */
  readonly snapshotId: () => bigint;
  /** Bytes of a chunk's records. */
  readonly chunkBytes: number;
  readonly observer: StorageObserver;
}

/** Hears what becomes durable. */
export interface StorageObserver {
  appended(batch: LogBatch): void;
  compacted(firstIndex: LogIndex): void;
  installed(last: LogIndex): void;
  tornDropped(): void;
  /** A snapshot begins to come in. */
  receiving(): void;
  /** One goes on that had begun before. */
  resumed(): void;
}

type Part = "append" | "save" | "compact";

export class SimStorage implements Storage {
  readonly identity: StoredOwner;
  readonly hardState: Storage["hardState"];
  readonly log: LogReader;
  readonly state: StateScanner;
  readonly #deps: SimStorageDeps;
  readonly #incoming: Incoming;
  #image: LogImage;
  readonly #writing = new Map<Part, Promise<void>>();
  #isInstalling = false;
  #stopped: "open" | "failed" | "closed" = "open";

  /** Opens what is there. Throws a DamageError. */
  constructor(identity: StoredOwner, deps: SimStorageDeps) {
    const { platter, observer } = deps;
    platter.owner ??= identity;
    this.identity = platter.owner;
    this.#deps = deps;
    this.#image = new LogImage(platter.current, () => {
      observer.tornDropped();
    });
    const { hardState } = this.#image;
    const commit = logIndex(Math.max(hardState.commit, platter.current.marker.appliedIndex));
    this.hardState = { ...hardState, commit };
    this.#incoming = new Incoming(deps);
    this.log = logOf(() => this.#image);
    this.state = scannerOf({
      records: () => platter.current.state,
      isClosed: () => this.#stopped === "closed",
      read: () => deps.hardware.read(),
    });
  }

  get configurations(): Storage["configurations"] {
    return this.#image.configurations;
  }

  /** As it is on the disk now. */
  get durableHardState(): HardState {
    return this.#image.hardState;
  }

  get logBytes(): number {
    return this.#image.bytes;
  }

  stateBytes(): Promise<number> {
    let bytes = 0;
    for (const [key, value] of this.#generation.state) bytes += key.length + value.length;
    return Promise.resolve(bytes);
  }

  /** Nothing is kept here of what was deleted. */
  reclaimState(): Promise<void> {
    return Promise.resolve();
  }

  append(batch: PersistedBatch): Promise<void> {
    const { snapshot } = batch;
    if (snapshot !== undefined) return this.#write("append", () => this.#install({ ...batch, snapshot }));
    return this.#write("append", () => this.#append(batch));
  }

  save(changes: readonly RecordChange[]): Promise<void> {
    return this.#write("save", () => {
      if (changes.length === 0) return undefined;
      assert(!this.#isInstalling, "nothing is saved while a snapshot is installed");
      const generation = this.#generation;
      for (const { key } of changes) assert(isStateKey(key), "the store's keys begin with 10 or above");
      const appliedIndex = appliedIndexIn(changes);
      assert(appliedIndex <= this.#image.lastIndex, "the applied index is within the log");
      const copies = changes.map(({ key, value }) => [keyText(key), value && Buffer.from(value)] as const);
      const marker = { appliedIndex, durableRecord: this.#image.lastRecord };
      const commit = (): void => {
        for (const [key, value] of copies) {
          if (value === undefined) generation.state.delete(key);
          else generation.state.set(key, value);
        }
        generation.marker = marker;
      };
      return this.#deps.hardware.write({ kind: "state", bytes: 100 * changes.length, commit });
    });
  }

  compact(upTo: LogIndex): Promise<void> {
    return this.#write("compact", () => {
      const image = this.#image;
      const commit = (): void => {
        // Another generation may have taken over meanwhile.
        if (this.#image !== image) return;
        const isShorter = image.compact(logIndex(Math.min(upTo, this.#generation.marker.appliedIndex)));
        if (isShorter) this.#deps.observer.compacted(image.firstIndex);
      };
      return this.#deps.hardware.write({ kind: "state", bytes: 100, commit });
    });
  }

  takeSnapshot(): StateSnapshot {
    const { snapshotId, chunkBytes } = this.#deps;
    return takeSnapshot(this.#generation.state, {
      snapshotId: snapshotId(),
      clusterId: this.identity.clusterId,
      configurationAt: (index) => this.#image.configurationAt(index).configuration,
      chunkBytes,
    });
  }

  receiveSnapshot(header: SnapshotHeader): Promise<IncomingSnapshot> {
    this.#mustBeOpen();
    return Promise.resolve(this.#incoming.receive(header));
  }

  dropReceived(header: SnapshotHeader): Promise<void> {
    this.#incoming.drop(header);
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#stopped = "closed";
    await Promise.allSettled(this.#writing.values());
  }

  get #generation(): Generation {
    return this.#deps.platter.current;
  }

  #append(batch: LogBatch): Promise<void> | undefined {
    if (batch.hardState === undefined && batch.entries.length === 0) return undefined;
    const image = this.#image;
    const { records } = this.#generation;
    const record = image.encode(batch);
    const commit = (): void => {
      image.add(record, batch);
      this.#deps.observer.appended(batch);
    };
    const tear = (share: number): void => {
      records.push(torn(record, share));
    };
    const { term, votedFor } = this.#image.hardState;
    const { hardState } = batch;
    const isVote = hardState !== undefined && (hardState.term !== term || hardState.votedFor !== votedFor);
    return this.#deps.hardware.write({ kind: "log", bytes: record.bytes.length, isVote, commit, tear });
  }

  async #install(
    batch: LogBatch & { readonly snapshot: NonNullable<PersistedBatch["snapshot"]> },
  ): Promise<void> {
    assert(!this.#writing.has("save"), "nothing is saved while a snapshot is installed");
    const { platter, hardware, observer } = this.#deps;
    const { last, configuration } = batch.snapshot;
    const state = this.#incoming.takeOver(last);
    const next = freshGeneration(last, { index: last.index, configuration });
    next.state = state;
    const image = new LogImage(next);
    const whole = { ...batch, hardState: batch.hardState ?? this.#image.hardState };
    image.add(image.encode(whole), whole);
    next.marker = { appliedIndex: last.index, durableRecord: image.lastRecord };
    const commit = (): void => {
      platter.current = next;
      this.#image = image;
      observer.installed(last.index);
      observer.appended(whole);
    };
    this.#isInstalling = true;
    await hardware.write({ kind: "state", bytes: 5000, commit });
    this.#isInstalling = false;
  }

  #mustBeOpen(): void {
    if (this.#stopped !== "open") throw new Error(`the storage is ${this.#stopped}`);
  }

  /** @param write returns undefined if there is nothing to write */
  async #write(part: Part, write: () => Promise<void> | undefined): Promise<void> {
    this.#mustBeOpen();
    assert(!this.#writing.has(part), "one batch is written at a time");
    try {
      const written = write();
      if (written === undefined) return;
      this.#writing.set(part, written);
      await written;
    } catch (error) {
      if (this.#stopped === "open") this.#stopped = "failed";
      throw error;
    } finally {
      this.#writing.delete(part);
    }
  }
}

function appliedIndexIn(changes: readonly RecordChange[]): LogIndex {
  const { key, value } = changes.at(-1) ?? {};
  assert(
    key !== undefined && value !== undefined && Buffer.compare(key, positionKey) === 0,
    "the store's position is the last of its changes",
  );
  return logIndex(decodePosition(value).appliedIndex);
}

/** What is in a generation may be another one's by the next call. */
function logOf(image: () => LogImage): LogReader {
  return {
    get firstIndex() {
      return image().firstIndex;
    },
    get lastIndex() {
      return image().lastIndex;
    },
    termAt: (index) => image().termAt(index),
    entries: (from, to, maxBytes) => image().entries(from, to, maxBytes),
  };
}

/**
 * Makes durable what the store has applied, beside the log and without holding it up, and drops from the log
 * what is of no more use then.
 */
import { type LogIndex, logIndex, noEntry, type StateMachine } from "@dkv/raft";
import type { RecordChange, Store } from "@dkv/store";
import { assert } from "../platform/assert.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Storage } from "../storage/storage.ts";
import type { StateHashes } from "./check/state-hashes.ts";
import { type CompactionLimits, compactionPoint } from "./compaction.ts";
import type { Guard } from "./guard.ts";

/**
 * What was applied becomes durable after so long, or once it takes so much memory. Until then, a restart
 * applies it again from the log. Not sooner: LevelDB's sync grows a file, and the log's syncs wait for it.
 */
const saveAfterMs = 1000;
const saveBytes = 1 * 2 ** 20;

/** With so much applied and not durable, nothing more is applied. */
const fullBytes = 16 * 2 ** 20;

export interface StateSaverDeps {
  readonly store: Store;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly compaction: CompactionLimits;
  readonly hashes: StateHashes;
  /** See {@link Snapshots.keepAfter}. */
  readonly keepAfter: () => LogIndex | undefined;
  /** Something was saved, so there may be room to apply more. */
  readonly onSaved: () => void;
}

/** Changes that the store has given out. */
interface Taken {
  readonly changes: readonly RecordChange[];
  /** Up to this entry. */
  readonly applied: LogIndex;
  /** Whether that entry is a check. */
  readonly isCheck: boolean;
}

export class StateSaver {
  readonly #deps: StateSaverDeps;
  /** What ends with a check, and waits until what came before is saved. Empty but for that. */
  #taken: Taken[] = [];
  #saving: Promise<void> | undefined;
  #cancelSave: Cancel | undefined;
  #isPaused = false;
  /** Durable up to here, as far as this process has saved it. */
  #savedIndex = noEntry.index;

  constructor(deps: StateSaverDeps) {
    this.#deps = deps;
  }

  /** Whether the store takes more. */
  get stateMachine(): StateMachine {
    return this.#deps.store.unsavedBytes < fullBytes ? "open" : "full";
  }

  /** Sees to it that what has been applied is saved in time. */
  saveSoon(): void {
    const { store, clock, guard } = this.#deps;
    if (this.#isPaused || this.#saving !== undefined) return;
    if (this.#taken.length > 0 || store.unsavedBytes >= saveBytes) this.#save();
    else if (store.hasChanges())
      this.#cancelSave ??= clock.after(saveAfterMs, () => {
        guard.run(() => {
          this.#save();
        });
      });
  }

  /**
   * The entry applied last is a check: what the state is right behind it becomes durable in a batch of its
   * own, so that it can be read, and is hashed.
   */
  check(): void {
    const { store, hashes } = this.#deps;
    const applied = logIndex(store.appliedIndex);
    if (this.#isPaused || !hashes.expect(applied)) return;
    this.#taken.push({ changes: store.takeChanges(), applied, isCheck: true });
  }

  /**
   * Resolves when the save that runs now is done, or one of all that was applied so far if none runs. What is
   * not saved then is applied again from the log at the next start.
   */
  async finish(): Promise<void> {
    this.#deps.guard.run(() => {
      this.#save();
    });
    await this.pause();
  }

  /** Resolves when everything that is applied by now is durable, or nothing is saved any more. */
  async saveApplied(): Promise<void> {
    const { guard, store } = this.#deps;
    const applied = store.appliedIndex;
    while (this.#savedIndex < applied) {
      guard.run(() => {
        this.#save();
      });
      const saving = this.#saving;
      if (saving === undefined) return;
      await saving;
      // It has failed, and so will all others.
      if (this.#saving === saving) return;
    }
  }

  /**
   * Saves and reads nothing any more until {@link resume}: what was applied is about to be replaced, or the
   * member stops.
   */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#taken = [];
    await Promise.all([this.#saving, this.#deps.hashes.abandon()]);
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Whatever was applied is durable in the log, so this needs to wait for nothing. */
  #save(): void {
    const { guard, onSaved } = this.#deps;
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    if (this.#isPaused || this.#saving !== undefined) return;
    const next = this.#taken.shift() ?? this.#takeAll();
    if (next === undefined) return;
    this.#saving = guard.runAfter(this.#saveAndCompact(next), () => {
      this.#saving = undefined;
      onSaved();
    });
  }

  #takeAll(): Taken | undefined {
    const { store } = this.#deps;
    if (!store.hasChanges()) return undefined;
    return { changes: store.takeChanges(), applied: logIndex(store.appliedIndex), isCheck: false };
  }

  async #saveAndCompact({ changes, applied, isCheck }: Taken): Promise<void> {
    const { storage, store, compaction, keepAfter } = this.#deps;
    await storage.save(changes);
    store.persisted();
    this.#savedIndex = applied;
    // The log is about to be replaced, or closed.
    if (this.#isPaused) return;
    if (isCheck) this.#hash(applied);
    const { log, logBytes: bytes } = storage;
    const extent = { firstIndex: log.firstIndex, applied, bytes, keepAfter: keepAfter() };
    const upTo = compactionPoint(compaction, extent);
    if (upTo !== undefined) await storage.compact(upTo);
  }

  /** Before anything else is saved. */
  #hash(applied: LogIndex): void {
    const { storage, hashes } = this.#deps;
    const snapshot = storage.takeSnapshot();
    assert(snapshot.header.last.index === applied, "what is hashed is the state right behind the check");
    hashes.begin(snapshot);
  }
}

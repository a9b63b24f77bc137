/** Makes durable what the store has applied, beside the log and without holding it up. */
import type { StateMachine } from "@dkv/raft";
import type { Store } from "@dkv/store";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Storage } from "../storage/storage.ts";
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
  /** Something was saved, so there may be room to apply more. */
  readonly onSaved: () => void;
}

export class StateSaver {
  readonly #deps: StateSaverDeps;
  #saving: Promise<void> | undefined;
  #cancelSave: Cancel | undefined;

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
    if (this.#saving !== undefined || !store.hasChanges()) return;
    if (store.unsavedBytes >= saveBytes) this.#save();
    else
      this.#cancelSave ??= clock.after(saveAfterMs, () => {
        guard.run(() => {
          this.#save();
        });
      });
  }

  /**
   * Resolves when the save that runs now is done, or one of all that was applied so far if none runs. What is
   * not saved then is applied again from the log at the next start.
   */
  async finish(): Promise<void> {
    this.#deps.guard.run(() => {
      this.#save();
    });
    await this.#saving;
  }

  /** Whatever was applied is durable in the log, so this needs to wait for nothing. */
  #save(): void {
    const { storage, store, guard, onSaved } = this.#deps;
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    if (this.#saving !== undefined || !store.hasChanges()) return;
    this.#saving = guard.runAfter(storage.save(store.takeChanges()), () => {
      this.#saving = undefined;
      store.persisted();
      onSaved();
    });
  }
}

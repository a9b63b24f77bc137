/** A member in small: a store, its disk, and what is on the way from one to the other. */
import assert from "node:assert/strict";
import type { Origin } from "../../src/auth/auth-state.ts";
import type { RecordChange } from "../../src/storage.ts";
import type { EntryPlace } from "../../src/state.ts";
import { type Applied, Store } from "../../src/store.ts";
import { command } from "../commands.ts";
import { Disk, type DiskOptions, turn } from "../disk.ts";
import type { LoggedOperation } from "../../src/operation.ts";

export interface MemberOptions {
  readonly cacheBytes: number;
  /** Changes that one entry looks at when history is removed. The same for all members of a cluster. */
  readonly pieceChanges: number;
  readonly disk: DiskOptions;
}

/** Takes what was applied; writes what was taken earliest; tells the store so; or lets others have a turn. */
export type Saving = "take" | "write" | "report" | "turn";

/** A committed entry. Without an operation it is a leader's first one. */
export interface LogEntry {
  readonly place: EntryPlace;
  readonly operation: LoggedOperation | undefined;
  readonly origin?: Origin | undefined;
}

export interface Applying {
  readonly isWanted: boolean;
  /** What happens while the disk is read for the entry. */
  readonly meanwhile: readonly Saving[];
}

export class Member {
  readonly #options: MemberOptions;
  readonly disk: Disk;
  store: Store;
  #onTheWay: (readonly RecordChange[])[] = [];
  /** Batches that are on the disk, and of which the store does not know that yet. */
  #unreported = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.disk = new Disk(options.disk);
    this.store = new Store(this.disk, options);
  }

  async apply(
    { place, operation, origin }: LogEntry,
    { isWanted, meanwhile }: Applying,
  ): Promise<Applied | undefined> {
    if (operation === undefined) {
      this.store.skip(place);
      return undefined;
    }
    const decoded = command(operation, origin);
    const preparing = this.store.prepare(decoded, isWanted);
    for (const each of meanwhile) await this.save(each);
    const prepared = await preparing;
    return this.store.apply(place, decoded, { prepared, isWanted });
  }

  async save(saving: Saving): Promise<void> {
    switch (saving) {
      case "take":
        if (this.store.hasChanges()) this.#onTheWay.push(this.store.takeChanges());
        return;
      case "write":
        this.#write();
        return;
      case "report":
        this.#report();
        return;
      case "turn":
        await turn();
    }
  }

  /** Makes all durable that was applied. */
  async flush(): Promise<void> {
    await this.save("take");
    while (this.#onTheWay.length > 0) this.#write();
    while (this.#unreported > 0) this.#report();
    assert.equal(this.store.hasChanges(), false);
    assert.equal(this.store.unsavedBytes, 0);
  }

  /** What was on its way is lost. */
  crash(): void {
    this.#onTheWay = [];
    this.#unreported = 0;
    this.store = new Store(this.disk, this.#options);
  }

  /** Takes over what another member has on its disk. */
  install(other: Member): void {
    this.#onTheWay = [];
    this.#unreported = 0;
    this.disk.replaceWith(other.disk);
    this.store.restored();
  }

  #write(): void {
    const changes = this.#onTheWay.shift();
    if (changes === undefined) return;
    this.disk.write(changes);
    this.#unreported += 1;
  }

  #report(): void {
    if (this.#unreported === 0) return;
    this.#unreported -= 1;
    this.store.persisted();
  }
}

/** What the operations of one command see and change. */
import { type ByteString, fromByteString, toByteString } from "../bytes.ts";
import { Layer } from "../overlay/layer.ts";
import type { Revision } from "../results.ts";
import type { State } from "../state.ts";
import type { RecordChange } from "../storage.ts";
import type { Facts, Version } from "../version.ts";

/** A change without its place, which is the next one of the scope. */
export type NewVersion = Pick<Version, "value" | "createRevision" | "version" | "lease">;

export interface Scope {
  /** Of the entry that is applied. */
  readonly entryIndex: number;
  /** The one that changes of this scope make. */
  readonly revision: Revision;
  /** How many there are. */
  readonly changes: number;
  facts(key: ByteString): Facts | undefined;
  version(key: ByteString): Version | undefined;
  record(key: Uint8Array): Uint8Array | undefined;
  /** @param before what the key is; undefined if it is missing */
  set(key: ByteString, version: NewVersion, before: Facts | undefined): void;
  delete(key: ByteString, before: Facts): void;
  put(record: RecordChange): void;
  /** In front of the disk, newest first. */
  readonly layers: readonly Layer[];
}

/** For a command that refuses before it changes anything: its changes are made at once. */
export class DirectScope implements Scope {
  readonly revision: Revision;
  readonly #state: State;
  #changes = 0;

  constructor(state: State, revision: Revision) {
    this.#state = state;
    this.revision = revision;
  }

  get entryIndex(): number {
    return this.#state.appliedIndex;
  }

  get changes(): number {
    return this.#changes;
  }

  get layers(): readonly Layer[] {
    return this.#state.overlay.layers;
  }

  facts(key: ByteString): Facts | undefined {
    return this.#state.facts(key);
  }

  version(key: ByteString): Version | undefined {
    return this.#state.version(key);
  }

  record(key: Uint8Array): Uint8Array | undefined {
    return this.#state.record(key);
  }

  set(key: ByteString, version: NewVersion, before: Facts | undefined): void {
    this.#state.overlay.add(setChange(this, key, { version, before }));
    this.#changes += 1;
  }

  delete(key: ByteString, before: Facts): void {
    this.#state.overlay.add(deleteChange(this, key, before));
    this.#changes += 1;
  }

  put(record: RecordChange): void {
    this.#state.overlay.put(record);
  }
}

/** For a transaction: its changes, perhaps several of a key, are its own until it is committed. Sees them itself. */
export class TransactionScope implements Scope {
  readonly revision: Revision;
  readonly #state: State;
  readonly #own = new Layer();

  constructor(state: State, revision: Revision) {
    this.#state = state;
    this.revision = revision;
  }

  get entryIndex(): number {
    return this.#state.appliedIndex;
  }

  get changes(): number {
    return this.#own.changes.length;
  }

  get layers(): readonly Layer[] {
    return [this.#own, ...this.#state.overlay.layers];
  }

  facts(key: ByteString): Facts | undefined {
    const made = this.#own.current.get(key);
    if (made === undefined) return this.#state.facts(key);
    return made.isDeleted ? undefined : made;
  }

  version(key: ByteString): Version | undefined {
    const made = this.#own.current.get(key);
    if (made === undefined) return this.#state.version(key);
    return made.isDeleted ? undefined : made;
  }

  record(key: Uint8Array): Uint8Array | undefined {
    const text = toByteString(key);
    return this.#own.records.has(text) ? this.#own.records.get(text) : this.#state.record(key);
  }

  set(key: ByteString, version: NewVersion, before: Facts | undefined): void {
    const isCreated = version.createRevision === this.revision;
    this.#own.add(setChange(this, key, { version, before: isCreated ? undefined : this.#kept(key, before) }));
  }

  delete(key: ByteString, before: Facts): void {
    this.#own.add(deleteChange(this, key, this.#kept(key, before)));
  }

  put(record: RecordChange): void {
    this.#own.put(record);
  }

  commit(): void {
    const { overlay } = this.#state;
    const { changes, current, records } = this.#own;
    const hasPassing = changes.length > current.size;
    for (const change of changes) {
      const isPassing = hasPassing && current.get(change.key) !== change.made;
      overlay.add(isPassing ? { ...change, isPassing } : change);
    }
    for (const [key, value] of records) overlay.put({ key: fromByteString(key), value });
  }

  /** What a key was before the transaction, given what it is now. */
  #kept(key: ByteString, now: Facts | undefined): Facts | undefined {
    return now?.modRevision === this.revision ? this.#state.facts(key) : now;
  }
}

type Placed = Pick<Scope, "revision" | "changes">;

function setChange(
  { revision, changes }: Placed,
  key: ByteString,
  { version, before }: { readonly version: NewVersion; readonly before: Facts | undefined },
) {
  return {
    key,
    made: {
      isDeleted: false,
      value: version.value,
      createRevision: version.createRevision,
      modRevision: revision,
      sub: changes,
      version: version.version,
      lease: version.lease,
    },
    previous: before && { revision: before.modRevision, sub: before.sub },
  } as const;
}

function deleteChange({ revision, changes }: Placed, key: ByteString, before: Facts | undefined) {
  return {
    key,
    made: { isDeleted: true, modRevision: revision, sub: changes },
    previous: before && { revision: before.modRevision, sub: before.sub },
  } as const;
}

/**
 * The replicated state machine: a revisioned key-value store in etcd's model.
 *
 * Members that apply the same entries hold the same bytes. So nothing here looks at a clock, a random
 * source or local configuration, and what a command gives depends on the entries before it alone.
 *
 * State lives on disk. What was applied and is not yet durable stands in front of it in the overlay;
 * what was read or written lately, in the cache:
 *
 *   get ─▶ overlay ─▶ cache ─▶ disk
 *
 * Invariants: appliedIndex rises by one with each entry; revision rises by one with each command that
 * changes something, and with nothing else; 1 ≤ createRevision ≤ modRevision ≤ revision.
 */
import type { AlarmCommand } from "@dkv/protocol/dkv/peer/v1/command";
import { type Alarm, readAlarms, withAlarm } from "./alarms.ts";
import { assert } from "./assert.ts";
import { type ByteString, fromByteString, toByteString } from "./bytes.ts";
import { type Known, VersionCache } from "./cache.ts";
import { encodeChanges } from "./changes.ts";
import { type CommandId, decodeCommand } from "./command.ts";
import { currentKey, type Position, readVersion, type Version } from "./keyspace.ts";
import type { LoggedOperation } from "./operation.ts";
import { Overlay } from "./overlay.ts";
import { readPosition } from "./position.ts";
import type { AlarmResult, ApplyResult, DeleteResult, KeyValue, Revision, SetResult } from "./results.ts";
import type { Change, StateReader } from "./storage.ts";

export interface StoreOptions {
  /** Upper bound of the durable versions kept in memory. */
  readonly cacheBytes: number;
}

/** What applying one entry gave, and whose it was. */
export interface Applied {
  readonly id: CommandId;
  readonly result: ApplyResult;
}

export class Store {
  readonly #reader: StateReader;
  readonly #options: StoreOptions;
  #cache: VersionCache;
  #overlay = new Overlay();
  #position: Position;
  #alarms: readonly Alarm[];
  #takenIndex: number;
  #takenAlarms: readonly Alarm[];

  /** Continues where the durable state stands. Reads two records. */
  constructor(reader: StateReader, options: StoreOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#cache = new VersionCache(options.cacheBytes);
    this.#position = readPosition(reader);
    this.#alarms = readAlarms(reader);
    this.#takenIndex = this.#position.appliedIndex;
    this.#takenAlarms = this.#alarms;
  }

  /** Index of the last entry applied, durable or not. */
  get appliedIndex(): number {
    return this.#position.appliedIndex;
  }

  get revision(): Revision {
    return this.#position.revision;
  }

  /** About members, of this and of other clusters; durable or not. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /**
   * Applies a committed command. Throws if the bytes are no command of this version, or if the disk does
   * not give what was written: the member cannot go on then, for it would differ from the others.
   */
  apply(index: number, term: number, data: Uint8Array): Applied {
    const { id, operation } = decodeCommand(data);
    this.#advance(index, term);
    return { id, result: this.#execute(operation) };
  }

  /** Passes a committed entry that holds no command. */
  skip(index: number, term: number): void {
    this.#advance(index, term);
  }

  /** The current version of a key, durable or not. Throws {@link DamagedRecordError}. */
  get(key: Uint8Array): KeyValue | undefined {
    const found = this.#find(toByteString(key));
    if (found === undefined) return undefined;
    const { createRevision, modRevision, version } = found;
    return { key, value: fromByteString(found.value), createRevision, modRevision, version };
  }

  /** Whether anything was applied that {@link takeChanges} has not given out. */
  hasChanges(): boolean {
    return this.#position.appliedIndex !== this.#takenIndex;
  }

  /** Memory taken by what was applied and is not durable, roughly. */
  get unsavedBytes(): number {
    return this.#overlay.bytes;
  }

  /**
   * What has to become durable for all that was applied since the call before; empty if nothing was.
   * Goes into one atomic batch. Report each that is not empty with {@link persisted}, in the same order.
   */
  takeChanges(): readonly Change[] {
    if (!this.hasChanges()) return [];
    const alarms = this.#alarms === this.#takenAlarms ? undefined : this.#alarms;
    this.#takenIndex = this.#position.appliedIndex;
    this.#takenAlarms = this.#alarms;
    return encodeChanges({ layer: this.#overlay.take(), alarms, position: this.#position });
  }

  /** The changes taken earliest and not yet reported are durable: the disk can answer for them now. */
  persisted(): void {
    for (const [key, known] of this.#overlay.persisted()) this.#cache.set(key, known);
  }

  /** The durable state has been replaced by another one as a whole: goes on from there. */
  restored(): void {
    this.#cache = new VersionCache(this.#options.cacheBytes);
    this.#overlay = new Overlay();
    this.#position = readPosition(this.#reader);
    this.#alarms = readAlarms(this.#reader);
    this.#takenIndex = this.#position.appliedIndex;
    this.#takenAlarms = this.#alarms;
  }

  #advance(index: number, term: number): void {
    const { appliedIndex, appliedTerm, revision } = this.#position;
    assert(index === appliedIndex + 1, "entries are applied in order, each once");
    assert(term >= appliedTerm, "terms never decrease along the log");
    this.#position = { appliedIndex: index, appliedTerm: term, revision };
  }

  #execute(operation: LoggedOperation): ApplyResult {
    switch (operation.case) {
      case "set":
        return this.#set(toByteString(operation.value.key), toByteString(operation.value.value));
      case "delete":
        return this.#delete(toByteString(operation.value.key));
      case "check":
        return { kind: "check", index: this.appliedIndex, revision: this.revision };
      case "alarm":
        return this.#alarm(operation.value);
    }
  }

  #set(key: ByteString, value: ByteString): SetResult {
    const before = this.#find(key);
    const revision = this.#nextRevision();
    const createRevision = before?.createRevision ?? revision;
    this.#overlay.set(key, {
      value,
      createRevision,
      modRevision: revision,
      version: (before?.version ?? 0) + 1,
    });
    return { kind: "set", revision };
  }

  #delete(key: ByteString): DeleteResult {
    if (this.#find(key) === undefined) return { kind: "delete", revision: this.revision, deleted: false };
    const revision = this.#nextRevision();
    this.#overlay.set(key, "missing");
    return { kind: "delete", revision, deleted: true };
  }

  #alarm(command: AlarmCommand): AlarmResult {
    this.#alarms = withAlarm(this.#alarms, command);
    return { kind: "alarm", revision: this.revision };
  }

  #nextRevision(): Revision {
    const revision = this.#position.revision + 1;
    this.#position = { ...this.#position, revision };
    return revision;
  }

  #find(key: ByteString): Version | undefined {
    const known = this.#overlay.get(key) ?? this.#cache.get(key) ?? this.#load(key);
    return known === "missing" ? undefined : known;
  }

  #load(key: ByteString): Known {
    const stored = currentKey(key);
    const record = this.#reader.get(stored);
    const known = record === undefined ? "missing" : readVersion(stored, record);
    this.#cache.set(key, known);
    return known;
  }
}

/**
 * The state as it is now: what was applied and is not yet durable stands in front of what the disk has; what
 * was read or written lately, in the cache.
 *
 *   version ─▶ overlay ─▶ cache ─▶ disk
 */
import { type Alarm, alarmsKey, encodeAlarms, readAlarms } from "./alarms.ts";
import { assert } from "./assert.ts";
import { authKey, encodeAuth, readAuth } from "./auth/auth-record.ts";
import type { AuthState } from "./auth/auth-state.ts";
import { type ByteString, toByteString } from "./bytes.ts";
import { VersionCache } from "./cache.ts";
import { Pieces } from "./history/pieces.ts";
import {
  type Compaction,
  compactionKey,
  encodeCompaction,
  readCompaction,
} from "./keyspace/compaction-record.ts";
import { currentKey, decodeCurrent } from "./keyspace/current-record.ts";
import { type Position, readPosition } from "./keyspace/position-record.ts";
import { Overlay } from "./overlay/overlay.ts";
import { asDamage, readVersion } from "./read/disk-keys.ts";
import type { Revision } from "./results.ts";
import type { RecordChange, StateScanner } from "./storage.ts";
import type { Facts, Version } from "./version.ts";

/** Where in the log a command stands. */
export interface EntryPlace {
  readonly index: number;
  readonly term: number;
}

export interface StateOptions {
  /** Upper bound of the durable versions kept in memory. */
  readonly cacheBytes: number;
  /** Changes looked at by one entry that removes history. Only tests have fewer: on all members the same. */
  readonly pieceChanges?: number;
}

export class State {
  readonly scanner: StateScanner;
  readonly overlay = new Overlay();
  readonly cache: VersionCache;
  /** Of the history that is removed. */
  readonly pieces: Pieces;
  #appliedIndex: number;
  #appliedTerm: number;
  #revision: Revision;
  #alarms: readonly Alarm[];
  #auth: AuthState;
  #compaction: Compaction;

  /** Continues where the durable state stands. Reads four records. */
  constructor(scanner: StateScanner, options: StateOptions) {
    this.scanner = scanner;
    this.cache = new VersionCache(options.cacheBytes);
    this.pieces = new Pieces(() => ({ scanner, layers: this.overlay.layers }), options.pieceChanges);
    const { appliedIndex, appliedTerm, revision } = readPosition(scanner);
    this.#appliedIndex = appliedIndex;
    this.#appliedTerm = appliedTerm;
    this.#revision = revision;
    this.#alarms = readAlarms(scanner);
    this.#auth = readAuth(scanner);
    this.#compaction = readCompaction(scanner);
  }

  get position(): Position {
    return { appliedIndex: this.#appliedIndex, appliedTerm: this.#appliedTerm, revision: this.#revision };
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get revision(): Revision {
    return this.#revision;
  }

  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  get auth(): AuthState {
    return this.#auth;
  }

  get compaction(): Compaction {
    return this.#compaction;
  }

  /** The next entry of the log is being applied. */
  advance({ index, term }: EntryPlace): void {
    assert(index === this.#appliedIndex + 1, "entries are applied in order, each once");
    assert(term >= this.#appliedTerm, "terms never decrease along the log");
    this.#appliedIndex = index;
    this.#appliedTerm = term;
  }

  /** Changes have made a revision. */
  reached(revision: Revision): void {
    assert(revision === this.#revision + 1, "the revision rises by one");
    this.#revision = revision;
  }

  setAlarms(alarms: readonly Alarm[]): void {
    if (alarms !== this.#alarms) this.overlay.put({ key: alarmsKey, value: encodeAlarms(alarms) });
    this.#alarms = alarms;
  }

  /** Throws the refusal `authTooLarge`. */
  setAuth(auth: AuthState): void {
    if (auth !== this.#auth) this.overlay.put({ key: authKey, value: encodeAuth(auth) });
    this.#auth = auth;
  }

  setCompaction(compaction: Compaction): void {
    this.#compaction = compaction;
    this.overlay.put({ key: compactionKey, value: encodeCompaction(compaction) });
  }

  /** Of a key that exists. Throws DamagedRecordError. */
  facts(key: ByteString): Facts | undefined {
    const made = this.overlay.get(key);
    if (made !== undefined) return made.isDeleted ? undefined : made;
    const known = this.cache.get(key);
    if (known !== undefined) return known === "missing" ? undefined : known;
    return this.#factsOnDisk(key);
  }

  /** As {@link facts}, with the value. */
  version(key: ByteString): Version | undefined {
    const made = this.overlay.get(key);
    if (made !== undefined) return made.isDeleted ? undefined : made;
    const known = this.cache.get(key) ?? this.#load(key);
    return known === "missing" ? undefined : known;
  }

  /** Of one of the small tables. */
  record(key: Uint8Array): Uint8Array | undefined {
    const unsaved = this.overlay.record(toByteString(key));
    return unsaved === undefined ? this.scanner.get(key) : unsaved.value;
  }

  put(record: RecordChange): void {
    this.overlay.put(record);
  }

  /** The oldest layer that was taken is durable: the disk can answer for it now. */
  persisted(): void {
    // A loop over the entries would make an array of each.
    this.overlay.persisted().current.forEach((made, key) => {
      this.cache.set(key, made.isDeleted ? "missing" : made);
    });
  }

  #factsOnDisk(key: ByteString): Facts | undefined {
    const stored = currentKey(key);
    const record = this.scanner.get(stored);
    if (record !== undefined) return decodeCurrent(stored, record);
    // Whoever sets a key on the condition that it is missing asks twice.
    this.cache.set(key, "missing");
    return undefined;
  }

  #load(key: ByteString): Version | "missing" {
    const facts = this.#factsOnDisk(key);
    const version = facts && this.#versionOnDisk(facts);
    assert(
      version === undefined || version.createRevision === facts?.createRevision,
      "facts are those of their change",
    );
    const known = version ?? "missing";
    this.cache.set(key, known);
    return known;
  }

  #versionOnDisk({ modRevision, sub }: Facts): Version {
    try {
      return readVersion(this.scanner, { revision: modRevision, sub });
    } catch (error) {
      throw asDamage(error);
    }
  }
}

/**
 * The replicated state machine: a revisioned key-value store in etcd's model.
 *
 * Members that apply the same entries hold the same bytes. So nothing here looks at a clock, a random
 * source or local configuration, and what a command gives depends on the entries before it alone.
 *
 * Invariants: appliedIndex rises by one with each entry; revision rises by one with each command that
 * changes a key, and with nothing else; 1 ≤ createRevision ≤ modRevision ≤ revision.
 */
import type { Alarm } from "./alarms.ts";
import { assert } from "./assert.ts";
import type { AuthState } from "./auth/auth-state.ts";
import { checkOrigin, isRefused, needsOfOrigin } from "./auth/check-origin.ts";
import { fromByteString, toByteString } from "./bytes.ts";
import type { CommandId, DecodedCommand } from "./command.ts";
import { type ApplyContext, execute } from "./execute.ts";
import { needsOfRemoval } from "./history/compaction.ts";
import { hashHistory } from "./history/hash.ts";
import { readHistory } from "./history/read-history.ts";
import type { Compaction } from "./keyspace/compaction-record.ts";
import type { Lease } from "./keyspace/lease-records.ts";
import { findLease } from "./lease/leases.ts";
import { mergeAttached, readAttached, scanLeases } from "./lease/scan-leases.ts";
import type { RangeOperation } from "./operation.ts";
import { encodeLayer } from "./overlay/encode-layer.ts";
import { asDamage } from "./read/disk-keys.ts";
import { keyValueOf } from "./read/found.ts";
import { firstKeyAt, type PageBounds, readPage } from "./read/page.ts";
import { readPrevious } from "./read/previous.ts";
import { queryOf } from "./read/query.ts";
import { readRange } from "./read/range.ts";
import { Refusal } from "./refusal.ts";
import type { ApplyResult, HistoryHash, KeyValue, RangeResult, RefusedResult, Revision } from "./results.ts";
import { type EntryPlace, State, type StateOptions } from "./state.ts";
import type { RecordChange, StateScanner } from "./storage.ts";
import { needsOf, Prepared } from "./txn/prepare.ts";
import type { Change, LeaseId, Place } from "./version.ts";

export type StoreOptions = StateOptions;

/** What applying one command gave, and whose it was. */
export interface Applied {
  readonly id: CommandId;
  readonly result: ApplyResult;
  /** What it has changed, in order. All of one revision, unless several leases have expired. */
  readonly changes: readonly Change[];
}

export class Store {
  readonly #scanner: StateScanner;
  readonly #options: StoreOptions;
  #state: State;
  #takenIndex: number;

  /** Continues where the durable state stands. Reads four records. */
  constructor(scanner: StateScanner, options: StoreOptions) {
    this.#scanner = scanner;
    this.#options = options;
    this.#state = new State(scanner, options);
    this.#takenIndex = this.appliedIndex;
  }

  /** Index of the last entry applied, durable or not. */
  get appliedIndex(): number {
    return this.#state.appliedIndex;
  }

  get revision(): Revision {
    return this.#state.revision;
  }

  /** About members, of this and of other clusters; durable or not. */
  get alarms(): readonly Alarm[] {
    return this.#state.alarms;
  }

  /** Who may do what, durable or not. Another object after each change. */
  get auth(): AuthState {
    return this.#state.auth;
  }

  /** How much history was given up. */
  get compaction(): Compaction {
    return this.#state.compaction;
  }

  /**
   * Reads what the command needs from the disk before it can be applied; undefined if nothing. Nothing may be
   * applied until that has happened, and the command is the next one then. Rejects with a
   * {@link DamagedRecordError}.
   */
  prepare(command: DecodedCommand, isWanted: boolean): Promise<Prepared> | undefined {
    const { operation } = command;
    const { auth, compaction } = this.#state;
    if (auth.isEnabled && isRefused(auth, command)) return undefined;
    const own =
      operation.case === "removeHistory" ? needsOfRemoval(compaction) : needsOf(operation, isWanted);
    const needs = auth.isEnabled ? [...own, ...needsOfOrigin(auth, command)] : own;
    return needs.length === 0 ? undefined : this.#prepare(needs);
  }

  /**
   * Applies a committed command. Throws if the disk does not give what was written: the member cannot go on
   * then, for it would differ from the others.
   */
  apply(entry: EntryPlace, command: DecodedCommand, { prepared, isWanted }: ApplyContext): Applied {
    const { id, operation } = command;
    const state = this.#state;
    const { overlay } = state;
    state.advance(entry);
    const before = overlay.changeCount;
    try {
      if (state.auth.isEnabled) checkOrigin(state, command, prepared);
      const result = execute(operation, { state, entry, prepared, isWanted });
      return { id, result, changes: overlay.changesAfter(before) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      assert(overlay.changeCount === before, "what is refused has changed nothing");
      return { id, result: { kind: "refused", revision: this.revision, reason: error.reason }, changes: [] };
    } finally {
      prepared?.release();
    }
  }

  /** Passes a committed entry that holds no command. */
  skip(entry: EntryPlace): void {
    this.#state.advance(entry);
  }

  /** The current version of a key, durable or not. Throws {@link DamagedRecordError}. */
  get(key: Uint8Array): KeyValue | undefined {
    const text = toByteString(key);
    const found = this.#state.version(text);
    return found && keyValueOf(text, found, found.value);
  }

  /**
   * Keys of an interval, now or at an earlier revision. Rejects with a {@link DamagedRecordError}.
   *
   * @param page makes the answer a page: the first keys, and no more work than they take
   */
  async range(operation: RangeOperation, page?: PageBounds): Promise<RangeResult | RefusedResult> {
    const query = queryOf(operation);
    for (;;) {
      const state = this.#state;
      const { revision, compaction, overlay } = state;
      if (query.revision > revision) return this.#refused("futureRevision");
      if (query.revision > 0 && query.revision < compaction.revision) return this.#refused("compacted");
      const moment = { scanner: this.#scanner, layers: overlay.layers, revision };
      try {
        const ranged = await (page === undefined ? readRange(moment, query) : readPage(moment, query, page));
        // Right also if the state was replaced meanwhile: keys are of one scan, begun before, and what a set
        // has made at some place of the history is the same in every state that has it.
        return { kind: "range", revision, ...ranged };
      } catch (error) {
        // What was read may be another member's state by now, or have been given up: what is here now is not.
        const isGone = this.#state !== state || state.compaction.revision > compaction.revision;
        if (!isGone) throw asDamage(error);
      }
    }
  }

  /**
   * Changes from one place on, up to and with a revision, some at a time. What was given up before or
   * meanwhile may be missing: look at {@link compaction} after each step.
   */
  history(from: Place, through: Revision): AsyncGenerator<readonly Change[]> {
    return readHistory({ scanner: this.#scanner, layers: this.#state.overlay.layers }, from, through);
  }

  /**
   * A hash of all changes up to a revision. Rejects with a {@link DamagedRecordError}.
   *
   * @param through 0 for the current one
   */
  async hashHistory(through: Revision): Promise<HistoryHash | RefusedResult> {
    for (;;) {
      const state = this.#state;
      const { revision, compaction } = state;
      const { revision: compactRevision } = compaction;
      if (through > revision) return this.#refused("futureRevision");
      if (through > 0 && through < compactRevision) return this.#refused("compacted");
      const hashedRevision = through > 0 ? through : revision;
      const isSame = (): boolean => this.#state === state && state.compaction.revision === compactRevision;
      const first = await this.range(firstKeyAt(hashedRevision), { maxBytes: 1 });
      if (first.kind === "refused" || !isSame()) continue;
      const moment = () => ({ scanner: this.#scanner, layers: state.overlay.layers });
      const isEmpty = first.found.length === 0;
      const hash = await hashHistory({ moment, compactRevision, through: hashedRevision, isEmpty });
      if (isSame()) return { kind: "hash", revision, hash, hashedRevision, compactRevision };
    }
  }

  /**
   * What the keys were before these changes; undefined for one that did not exist, or whose history was
   * given up. Rejects with a {@link DamagedRecordError}.
   */
  previous(changes: readonly Change[]): Promise<readonly (KeyValue | undefined)[]> {
    const { layers } = this.#state.overlay;
    return readPrevious({ scanner: this.#scanner, layers }, changes, () => this.compaction.revision);
  }

  /** Undefined if there is none. */
  lease(id: LeaseId): Lease | undefined {
    return findLease(this.#state, id);
  }

  /** All leases, some at a time, as they were when this was called. */
  leases(): AsyncGenerator<readonly (readonly [LeaseId, Lease])[]> {
    return scanLeases(this.#scanner, this.#state.overlay.layers);
  }

  /** The current keys of a lease, in their order; none if it is gone. */
  async keysOfLease(id: LeaseId): Promise<readonly Uint8Array[]> {
    const { overlay } = this.#state;
    const release = overlay.hold();
    try {
      const saved = await readAttached(this.#scanner, id);
      return mergeAttached(saved, overlay.layers, id).map(fromByteString);
    } finally {
      release();
    }
  }

  /** Whether anything was applied that {@link takeChanges} has not given out. */
  hasChanges(): boolean {
    return this.appliedIndex !== this.#takenIndex;
  }

  /** Memory taken by what was applied and is not durable, roughly. */
  get unsavedBytes(): number {
    return this.#state.overlay.bytes;
  }

  /**
   * What has to become durable for all that was applied since the call before; empty if nothing was.
   * Goes into one atomic batch. Report each that is not empty with {@link persisted}, in the same order.
   */
  takeChanges(): readonly RecordChange[] {
    if (!this.hasChanges()) return [];
    this.#takenIndex = this.appliedIndex;
    return encodeLayer(this.#state.overlay.take(), this.#state.position);
  }

  /** The changes taken earliest and not yet reported are durable: the disk can answer for them now. */
  persisted(): void {
    this.#state.persisted();
  }

  /** The durable state has been replaced by another one as a whole: goes on from there. */
  restored(): void {
    this.#state = new State(this.#scanner, this.#options);
    this.#takenIndex = this.appliedIndex;
  }

  async #prepare(needs: ReturnType<typeof needsOf>): Promise<Prepared> {
    const state = this.#state;
    const prepared = new Prepared(state.overlay.hold());
    try {
      for (const need of needs) await prepared.read(state, need, state.compaction.revision);
    } catch (error) {
      prepared.release();
      throw asDamage(error);
    }
    return prepared;
  }

  #refused(reason: RefusedResult["reason"]): RefusedResult {
    return { kind: "refused", revision: this.revision, reason };
  }
}

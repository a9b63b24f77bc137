/** An obviously right store: a list of all changes ever made, and a map of leases. It forgets nothing. */
import type { ExpireLeasesCommand, LeaseCheckpoint, RangeOperation } from "@dkv/protocol/dkv/peer/v1/command";
import type { Origin } from "../../src/auth/auth-state.ts";
import type { ByteString } from "../../src/bytes.ts";
import type { Lease } from "../../src/keyspace/lease-records.ts";
import type { LoggedOperation } from "../../src/operation.ts";
import type { ApplyResult, KeyValue, OperationResult, RangeResult } from "../../src/results.ts";
import type { EntryPlace } from "../../src/state.ts";
import type { Change, LeaseId, Place, Version } from "../../src/version.ts";
import { Draft, ModelRefusal } from "./draft.ts";
import { Rules } from "./rules.ts";
import { type Keys, keyValue, select } from "./select.ts";

export interface Expected {
  readonly result: ApplyResult;
  readonly changes: readonly Change[];
}

export class Model {
  readonly changes: Change[] = [];
  leases: ReadonlyMap<LeaseId, Lease> = new Map();
  revision = 1;
  /** The oldest that the store has to know. */
  compactRevision = -1;
  readonly rules = new Rules();

  /** What keys were then. */
  at(revision: number): Keys {
    const keys = new Map<ByteString, Version>();
    for (const { key, made } of this.changes) {
      if (made.modRevision > revision) break;
      if (made.isDeleted) keys.delete(key);
      else keys.set(key, made);
    }
    return keys;
  }

  /** @param current the revision that was current when it was asked for */
  range(operation: RangeOperation, current: number): RangeResult {
    const at = operation.revision > 0n ? Number(operation.revision) : current;
    return { kind: "range", revision: current, ...select(this.at(at), operation) };
  }

  /** Those from a place on, up to and with a revision. */
  history(from: Place, through: number): readonly Change[] {
    return this.changes.filter(
      ({ made: { modRevision, sub } }) =>
        modRevision <= through &&
        (modRevision > from.revision || (modRevision === from.revision && sub >= from.sub)),
    );
  }

  /** What the key was before the revision; undefined if it was missing, or is created. */
  previous({ key, previous }: Change): KeyValue | undefined {
    const made = this.changes.find(
      (other) => other.made.modRevision === previous?.revision && other.made.sub === previous.sub,
    )?.made;
    return made === undefined || made.isDeleted ? undefined : keyValue([key, made]);
  }

  /** What has to be stored once all that was given up is removed. */
  kept(): readonly Change[] {
    const isLast = ({ key, made }: Change): boolean =>
      !this.changes.some(
        (other) =>
          other.key === key && isLater(other.made, made) && other.made.modRevision <= this.compactRevision,
      );
    return this.changes.filter((change) => {
      const { isDeleted, modRevision } = change.made;
      if (modRevision >= this.compactRevision) return true;
      return !isDeleted && isLast(change);
    });
  }

  apply(entry: EntryPlace, operation: LoggedOperation, origin?: Origin): Expected {
    const before = this.changes.length;
    try {
      this.rules.check(operation, origin, (lease) => this.#keysOf(lease));
      const result = this.#execute(entry, operation);
      return { result, changes: this.changes.slice(before) };
    } catch (error) {
      if (!(error instanceof ModelRefusal)) throw error;
      return { result: { kind: "refused", revision: this.revision, reason: error.reason }, changes: [] };
    }
  }

  #keysOf(lease: LeaseId): readonly ByteString[] {
    return [...this.at(this.revision)].filter(([, version]) => version.lease === lease).map(([key]) => key);
  }

  #execute(entry: EntryPlace, operation: LoggedOperation): ApplyResult {
    switch (operation.case) {
      case "set":
        return this.#draft(entry, (draft) => draft.set(operation.value));
      case "setIf":
        return this.#draft(entry, (draft) => draft.setIf(operation.value));
      case "delete":
        return this.#draft(entry, (draft) => draft.delete(operation.value));
      case "txn":
        return this.#draft(entry, (draft) => draft.txn(operation.value));
      case "grantLease":
        this.#draft(entry, (draft) => draft.grant(operation.value.id, operation.value.ttl));
        return { kind: "lease", revision: this.revision };
      case "revokeLease":
        if (!this.leases.has(operation.value.id)) throw new ModelRefusal("leaseNotFound");
        this.#draft(entry, (draft) => draft.endLease(operation.value.id));
        return { kind: "lease", revision: this.revision };
      case "expireLeases":
        return { kind: "expiry", expired: this.#expire(entry, operation.value), revision: this.revision };
      case "checkpointLeases":
        for (const each of operation.value.checkpoints) this.#checkpoint(each, operation.value.applied);
        return { kind: "lease", revision: this.revision };
      case "compact":
        this.#compact(Number(operation.value.revision));
        return { kind: "compaction", revision: this.revision };
      case "removeHistory":
        return { kind: "compaction", revision: this.revision };
      case "check":
        return { kind: "check", index: entry.index, revision: this.revision };
      case "alarm":
        return { kind: "alarm", revision: this.revision };
      case "auth":
        this.rules.change(operation.value.change);
        return { kind: "auth", revision: this.revision };
    }
  }

  #draft<Result>({ index }: EntryPlace, write: (draft: Draft) => Result): Result {
    const draft = new Draft({ current: this.revision, index }, this, this.leases);
    const result = write(draft);
    this.changes.push(...draft.changes.map(withPassing));
    this.leases = draft.leases;
    this.revision = draft.revision;
    return result;
  }

  #expire(entry: EntryPlace, command: ExpireLeasesCommand): readonly LeaseId[] {
    if (command.term !== BigInt(entry.term)) return [];
    return command.ids.filter((id) => {
      const lease = this.leases.get(id);
      if (lease === undefined || lease.grantedIndex > command.applied) return false;
      this.#draft(entry, (draft) => draft.endLease(id));
      return true;
    });
  }

  #checkpoint({ id, remainingTtl }: LeaseCheckpoint, applied: bigint): void {
    const lease = this.leases.get(id);
    if (lease === undefined || lease.grantedIndex > applied) return;
    this.leases = new Map(this.leases).set(id, { ...lease, remainingTtl });
  }

  #compact(revision: number): void {
    if (revision <= this.compactRevision) throw new ModelRefusal("compacted");
    if (revision > this.revision) throw new ModelRefusal("futureRevision");
    this.compactRevision = revision;
  }
}

const isLater = (one: Change["made"], other: Change["made"]): boolean =>
  one.modRevision > other.modRevision || (one.modRevision === other.modRevision && one.sub > other.sub);

/** A change says whether another one follows of its key. */
const withPassing = (change: Change, at: number, changes: readonly Change[]): Change =>
  changes.slice(at + 1).some(({ key }) => key === change.key) ? { ...change, isPassing: true } : change;

/** The same where nobody waits for what is read: the ranges are empty. */
export function unwanted<Result extends ApplyResult | OperationResult>(result: Result): Result {
  switch (result.kind) {
    case "range":
      return { ...result, found: [], hasMore: false, count: 0 };
    case "delete":
      return { ...result, previous: [] };
    case "txn":
      return { ...result, results: result.results.map(unwanted) };
    default:
      return result;
  }
}

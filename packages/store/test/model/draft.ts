/** The model's writing: what one command makes of the keys, apart until it is known not to be refused. */
import {
  type Compare,
  CompareRelation,
  type DeleteCommand,
  type RangeOperation,
  type SetCommand,
  type SetIfCommand,
  type TxnCommand,
  type TxnOperation,
} from "@dkv/protocol/dkv/peer/v1/command";
import { type ByteString, toByteString } from "../../src/bytes.ts";
import type { Lease } from "../../src/keyspace/lease-records.ts";
import type {
  DeleteResult,
  OperationResult,
  RangeResult,
  RefusalReason,
  SetResult,
  TxnResult,
} from "../../src/results.ts";
import type { Change, LeaseId, Place, Version } from "../../src/version.ts";
import { type Keys, keyValue, rowsOf, select } from "./select.ts";

/** Thrown by the model where the store is to refuse. */
export class ModelRefusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(reason);
    this.reason = reason;
  }
}

/** What a draft may look back at. */
export interface Past {
  readonly compactRevision: number;
  at(revision: number): Keys;
}

export interface DraftPlace {
  /** The revision before. */
  readonly current: number;
  /** Of the entry. */
  readonly index: number;
}

export class Draft {
  /** The one before. */
  readonly current: number;
  readonly changes: Change[] = [];
  readonly keys: Map<ByteString, Version>;
  readonly leases: Map<LeaseId, Lease>;
  readonly #index: number;
  readonly #past: Past;
  readonly #before: Keys;

  constructor({ current, index }: DraftPlace, past: Past, leases: ReadonlyMap<LeaseId, Lease>) {
    this.current = current;
    this.#index = index;
    this.#past = past;
    this.#before = past.at(current);
    this.keys = new Map(this.#before);
    this.leases = new Map(leases);
  }

  /** The current one, as soon as anything was changed. */
  get revision(): number {
    return this.changes.length > 0 ? this.current + 1 : this.current;
  }

  /** @param looksFor what it looks for first */
  set(command: Omit<SetCommand, "$typeName">, looksFor: "key" | "lease" = "lease"): SetResult {
    const key = toByteString(command.key);
    const before = this.keys.get(key);
    const namesLease = command.grantTtl === 0n && !command.keepLease && command.lease !== 0n;
    const hasNoKey = before === undefined && (command.keepValue || command.keepLease);
    if (looksFor === "key" && hasNoKey) throw new ModelRefusal("keyNotFound");
    if (namesLease && !this.leases.has(command.lease)) throw new ModelRefusal("leaseNotFound");
    if (hasNoKey) throw new ModelRefusal("keyNotFound");
    const lease = before !== undefined && command.keepLease ? before.lease : command.lease;
    if (command.grantTtl !== 0n) this.grant(lease, command.grantTtl);
    this.#change(key, {
      isDeleted: false,
      value: before !== undefined && command.keepValue ? before.value : toByteString(command.value),
      createRevision: before === undefined ? this.current + 1 : before.createRevision,
      ...this.#place(),
      version: before === undefined ? 1 : before.version + 1,
      lease,
    });
    const previous = before !== undefined && command.wantPrevious ? keyValue([key, before]) : undefined;
    return { kind: "set", revision: this.revision, previous };
  }

  setIf({ modRevision, ...command }: SetIfCommand): SetResult {
    const before = this.keys.get(toByteString(command.key));
    if (modRevision !== BigInt(before?.modRevision ?? 0))
      throw new ModelRefusal(before === undefined ? "keyMissing" : "keyChanged");
    return this.set({ ...command, wantPrevious: false, keepValue: false, keepLease: false });
  }

  delete({ key, rangeEnd, wantPrevious }: DeleteCommand): DeleteResult {
    const rows = rowsOf(this.keys, key, rangeEnd);
    for (const [one] of rows) this.deleteKey(one);
    const previous = wantPrevious ? rows.map((row) => keyValue(row)) : [];
    return { kind: "delete", revision: this.revision, deleted: rows.length, previous };
  }

  deleteKey(key: ByteString): void {
    this.#change(key, { isDeleted: true, ...this.#place() });
  }

  grant(id: LeaseId, grantedTtl: bigint): void {
    if (id === 0n) throw new ModelRefusal("noLeaseId");
    if (this.leases.has(id)) throw new ModelRefusal("leaseExists");
    this.leases.set(id, { grantedTtl, remainingTtl: 0n, grantedIndex: this.#index });
  }

  /** Its keys go in the order of their bytes. */
  endLease(id: LeaseId): void {
    const all = rowsOf(this.keys, new Uint8Array(), Uint8Array.of(0));
    for (const [key, { lease }] of all) if (lease === id) this.deleteKey(key);
    this.leases.delete(id);
  }

  range(operation: RangeOperation): RangeResult {
    const revision = Number(operation.revision);
    if (revision > this.current) throw new ModelRefusal("futureRevision");
    if (revision !== 0 && revision < this.#past.compactRevision) throw new ModelRefusal("compacted");
    const keys = revision > 0 ? this.#past.at(revision) : this.keys;
    return { kind: "range", revision: this.revision, ...select(keys, operation) };
  }

  txn(command: TxnCommand): TxnResult {
    const succeeded = command.compares.every((one) => this.#holds(one));
    const operations = succeeded ? command.success : command.failure;
    const results = operations.map((one) => this.#operation(one));
    return { kind: "txn", revision: this.revision, succeeded, results };
  }

  #operation({ operation }: TxnOperation): OperationResult {
    switch (operation.case) {
      case "range":
        return this.range(operation.value);
      case "set":
        return this.set(operation.value, "key");
      case "delete":
        return this.delete(operation.value);
      case "txn":
        return this.txn(operation.value);
      case undefined:
        return { kind: "txn", revision: this.current, succeeded: true, results: [] };
    }
  }

  /** Of what was there before the whole command. */
  #holds({ key, rangeEnd, target, relation }: Compare): boolean {
    const rows = rowsOf(this.#before, key, rangeEnd);
    const versions = rows.length === 0 ? [undefined] : rows.map(([, version]) => version);
    return versions.every((version) => {
      if (target.case === "value")
        return version !== undefined && isRelated(version.value, relation, toByteString(target.value));
      const fact = version === undefined ? 0n : BigInt(version[target.case ?? "version"]);
      return isRelated(fact, relation, target.value ?? 0n);
    });
  }

  #place(): { modRevision: number; sub: number } {
    return { modRevision: this.current + 1, sub: this.changes.length };
  }

  #change(key: ByteString, made: Change["made"]): void {
    const isCreated = !made.isDeleted && made.createRevision > this.current;
    const kept = isCreated ? undefined : this.#before.get(key);
    const previous: Place | undefined = kept && { revision: kept.modRevision, sub: kept.sub };
    this.changes.push({ key, made, previous });
    if (made.isDeleted) this.keys.delete(key);
    else this.keys.set(key, made);
  }
}

function isRelated<Value extends string | bigint>(
  actual: Value,
  relation: CompareRelation,
  given: Value,
): boolean {
  switch (relation) {
    case CompareRelation.NOT_EQUAL:
      return actual !== given;
    case CompareRelation.GREATER:
      return actual > given;
    case CompareRelation.LESS:
      return actual < given;
    default:
      return actual === given;
  }
}

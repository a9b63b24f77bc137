/**
 * What a store must make of commands: a small one, written anew and apart from the production one, without
 * a disk, and slow. It keeps every version of every key, so that what was so at any index and any revision
 * can be asked.
 */
import { RangeOrder } from "@dkv/protocol/dkv/peer/v1/command";
import type { ApplyResult, LoggedOperation, OperationResult, Origin, RangeOperation } from "@dkv/store";
import { keyText } from "../disk/platter.ts";
import type { AppliedEntry } from "../process/observed-store.ts";
import { Draft } from "./draft.ts";
import { select, toKeyValue } from "./select.ts";
import { holds } from "./true-compare.ts";
import { TrueRules } from "./true-rules.ts";
import { Refused, type TrueLease, type TrueState, type TrueVersion } from "./true-state.ts";

export interface TrueChange {
  readonly key: string;
  readonly revision: number;
  readonly version: TrueVersion | undefined;
  /** What the key was before the revision, unless this creates it. */
  readonly previous: TrueVersion | undefined;
}

type EntryPlace = Pick<AppliedEntry, "index" | "term">;
type Operations = Extract<LoggedOperation, { case: "txn" }>["value"]["success"];
type Expiry = Extract<LoggedOperation, { case: "expireLeases" }>["value"];
type Transaction = Extract<LoggedOperation, { case: "txn" }>["value"];

export class TrueStore implements TrueState {
  readonly current = new Map<string, TrueVersion>();
  readonly leases = new Map<bigint, TrueLease>();
  /** By revision: what it changed. The first two are made by nothing. */
  readonly changes: (readonly TrueChange[])[] = [[], []];
  compactRevision = -1;
  readonly #rules = new TrueRules();

  get revision(): number {
    return this.changes.length - 1;
  }

  /** Applies what stands in an entry. */
  apply(operation: LoggedOperation, entry: EntryPlace, origin?: Origin): ApplyResult {
    try {
      this.#rules.check({ operation, origin });
      return this.#apply(operation, entry);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { kind: "refused", revision: this.revision, reason: error.reason };
    }
  }

  /** Keys as they were, in their order. */
  at(revision: number): Map<string, TrueVersion> {
    const keys = new Map<string, TrueVersion>();
    for (const { key, version } of this.changes.slice(0, revision + 1).flat()) {
      if (version === undefined) keys.delete(key);
      else keys.set(key, version);
    }
    return keys;
  }

  #apply(operation: LoggedOperation, entry: EntryPlace): ApplyResult {
    const { revision } = this;
    switch (operation.case) {
      case "set":
      case "delete":
        return this.#commit(entry, (draft) => runOne(draft, operation));
      case "setIf":
        return this.#commit(entry, (draft) => draft.setIf(operation.value));
      case "txn":
        return this.#commit(entry, (draft) => runTransaction(draft, operation.value));
      case "grantLease":
        this.#commit(entry, (draft) => {
          draft.grant(operation.value.id, operation.value.ttl);
        });
        return { kind: "lease", revision };
      case "revokeLease":
        this.#commit(entry, (draft) => {
          draft.end(operation.value.id);
        });
        return { kind: "lease", revision: this.revision };
      case "expireLeases":
        return this.#expire(operation.value, entry);
      case "checkpointLeases":
        for (const { id, remainingTtl } of operation.value.checkpoints) {
          const lease = this.#meant(id, operation.value);
          if (lease !== undefined) this.leases.set(id, { ...lease, remainingTtl });
        }
        return { kind: "lease", revision };
      case "compact":
        return this.#compact(Number(operation.value.revision));
      case "removeHistory":
        return { kind: "compaction", revision };
      case "check":
        return { kind: "check", revision, index: 0 };
      case "alarm":
        return { kind: "alarm", revision };
      case "auth":
        this.#rules.change(operation.value.change);
        return { kind: "auth", revision };
    }
  }

  #compact(to: number): ApplyResult {
    if (to <= this.compactRevision) throw new Refused("compacted");
    if (to > this.revision) throw new Refused("futureRevision");
    this.compactRevision = to;
    return { kind: "compaction", revision: this.revision };
  }

  #expire(command: Expiry, entry: EntryPlace): ApplyResult {
    const isOfTerm = Number(command.term) === entry.term;
    const ended = isOfTerm ? command.ids.filter((id) => this.#meant(id, command) !== undefined) : [];
    for (const id of ended)
      this.#commit(entry, (draft) => {
        draft.end(id);
      });
    return { kind: "expiry", revision: this.revision, expired: ended };
  }

  /** A lease that was there when a leader looked, and has not been replaced since. */
  #meant(id: bigint, { applied }: Pick<Expiry, "applied">): TrueLease | undefined {
    const lease = this.leases.get(id);
    return lease === undefined || lease.grantedIndex > Number(applied) ? undefined : lease;
  }

  #commit<Result>({ index }: EntryPlace, work: (draft: Draft) => Result): Result {
    const draft = new Draft(this, index);
    const result = work(draft);
    const changes = draft.changes.map(
      ({ key, version }): TrueChange => ({
        key,
        revision: this.revision + 1,
        version,
        previous: version?.createRevision === this.revision + 1 ? undefined : this.current.get(key),
      }),
    );
    for (const { key, version } of changes) {
      if (version === undefined) this.current.delete(key);
      else this.current.set(key, version);
    }
    if (changes.length > 0) this.changes.push(changes);
    for (const [id, lease] of draft.leases) {
      if (lease === undefined) this.leases.delete(id);
      else this.leases.set(id, lease);
    }
    return result;
  }
}

function runTransaction(draft: Draft, command: Transaction): Extract<OperationResult, { kind: "txn" }> {
  const before = draft.keys;
  const run = ({ compares, success, failure }: Transaction): Extract<OperationResult, { kind: "txn" }> => {
    const succeeded = compares.every((compare) => holds(before, compare));
    const results = (succeeded ? success : failure).flatMap(({ operation }): OperationResult[] => {
      if (operation.case === undefined) return [];
      return [operation.case === "txn" ? run(operation.value) : runOne(draft, operation)];
    });
    return { kind: "txn", revision: draft.revision, succeeded, results };
  };
  return run(command);
}

type One = Exclude<Operations[number]["operation"], { case: "txn" } | { case: undefined }>;

function runOne<Operation extends One>(
  draft: Draft,
  operation: Operation,
): Extract<OperationResult, { kind: Operation["case"] }>;
function runOne(draft: Draft, operation: One): OperationResult {
  switch (operation.case) {
    case "range":
      return range(draft, operation.value);
    case "set":
      return draft.set(operation.value);
    case "delete": {
      const { key, rangeEnd, wantPrevious } = operation.value;
      const gone = select(draft.keys, { key: keyText(key), rangeEnd: keyText(rangeEnd) });
      for (const [each] of gone) draft.delete(each);
      const previous = wantPrevious ? gone.map(toKeyValue) : [];
      return { kind: "delete", revision: draft.revision, deleted: gone.length, previous };
    }
  }
}

/** What a range gives that is part of a transaction. */
function range(draft: Draft, operation: RangeOperation): Extract<OperationResult, { kind: "range" }> {
  const { store, revision } = draft;
  const at = Number(operation.revision);
  if (at > store.revision) throw new Refused("futureRevision");
  if (at > 0 && at < store.compactRevision) throw new Refused("compacted");
  return { kind: "range", revision, ...answerOf(at > 0 ? store.at(at) : draft.keys, operation) };
}

/** What a range of these keys gives, but for the revision. */
export function answerOf(
  keys: ReadonlyMap<string, TrueVersion>,
  operation: RangeOperation,
): Omit<Extract<OperationResult, { kind: "range" }>, "kind" | "revision"> {
  const interval = { key: keyText(operation.key), rangeEnd: keyText(operation.rangeEnd) };
  const all = select(keys, interval);
  if (operation.countOnly) return { found: [], hasMore: false, count: all.length };
  const { order, target } = operation;
  const limit = operation.limit > 0n ? Number(operation.limit) : all.length;
  // Without an order the first keys are taken, one more than wanted, and then put in order: etcd does so.
  const candidates = order === RangeOrder.UNSPECIFIED ? all.slice(0, limit + 1) : all;
  const sorted = select(new Map(candidates), { ...interval, order, target });
  const found = sorted.slice(0, limit).map(([key, version]) => {
    const whole = toKeyValue([key, version]);
    return operation.keysOnly ? { ...whole, value: Buffer.alloc(0) } : whole;
  });
  return { found, hasMore: all.length > limit, count: all.length };
}

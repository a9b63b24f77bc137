/**
 * What the log has decided, and what a store must make of it: the production store is compared with another
 * one at every index. State machine safety (Raft Fig. 3): no member ever applies anything else at an index,
 * and each gives the same result and has the same state.
 */
import { type Applied, type ApplyResult, decodeCommand, type LoggedOperation } from "@dkv/store";
import type { AppliedEntry } from "../process/observed-store.ts";
import { textOf } from "./result-text.ts";
import type { TrueLease, TrueVersion } from "./true-state.ts";
import { type TrueChange, TrueStore } from "./true-store.ts";

export type { TrueVersion } from "./true-state.ts";
export type { TrueChange } from "./true-store.ts";

interface Decided {
  readonly term: number;
  /** Undefined for an entry without a command. */
  readonly data: Uint8Array | undefined;
  readonly operation: LoggedOperation | undefined;
  readonly revision: number;
  readonly compactRevision: number;
  readonly result: ApplyResult | undefined;
  readonly changes: readonly TrueChange[];
}

export class SafetyViolation extends Error {
  override readonly name = "SafetyViolation";
}

/** What something was, by the index that made it so, ascending. */
type Past<Value> = { readonly index: number; readonly value: Value | undefined }[];

export class Truth {
  readonly store = new TrueStore();
  /** By index; the first one stands for what is before every log. */
  readonly #decided: (Decided | undefined)[] = [undefined];
  readonly #versions = new Map<string, Past<TrueVersion>>();
  readonly #leases = new Map<bigint, Past<TrueLease>>();
  /** By revision: the index that made it. */
  readonly #byRevision = new Map<number, number>();
  /** Hears of each entry when it is applied first. */
  onDecided: (index: number, decided: Decided) => void = () => undefined;

  get lastIndex(): number {
    return this.#decided.length - 1;
  }

  get keys(): readonly string[] {
    return [...this.#versions.keys()];
  }

  get leases(): readonly bigint[] {
    return [...this.#leases.keys()];
  }

  revisionAt(index: number): number {
    return index === 0 ? 1 : (this.#decided[index]?.revision ?? 1);
  }

  compactRevisionAt(index: number): number {
    return this.#decided[index]?.compactRevision ?? -1;
  }

  /** Somebody has applied a command, or passed an entry without one. */
  applied({
    index,
    term,
    data,
  }: Pick<AppliedEntry, "index" | "term"> & { readonly data: Uint8Array | undefined }): Decided {
    const known = this.#decided[index];
    if (known !== undefined) {
      if (known.term !== term || !sameBytes(known.data, data))
        throw new SafetyViolation(
          `two members applied different entries at ${String(index)}: of term ${String(known.term)} and ${String(term)}`,
        );
      return known;
    }
    if (index !== this.#decided.length)
      throw new SafetyViolation(
        `${String(index)} was applied, and nobody has applied ${String(this.#decided.length)}`,
      );
    const decided = this.#decide(index, term, data);
    this.#decided.push(decided);
    this.onDecided(index, decided);
    return decided;
  }

  /** Compares what a production store gave. @param isWanted whether what it reads was asked for there */
  checkResult(index: number, { result }: Pick<Applied, "result">, isWanted = false): void {
    const expected = this.#decided[index]?.result;
    if (expected === undefined) return;
    if (result.revision !== expected.revision)
      throw new SafetyViolation(
        `applying ${String(index)} gave revision ${String(result.revision)}, not ${String(expected.revision)}`,
      );
    const [found, meant] = [textOf(result, isWanted), textOf(expected, isWanted)];
    if (found !== meant)
      throw new SafetyViolation(`applying ${String(index)} gave ${found}, and should have given ${meant}`);
  }

  /** What the entry changes. */
  changesAt(index: number): readonly TrueChange[] {
    return this.#decided[index]?.changes ?? [];
  }

  /** A key as it was right behind an index. */
  versionAt(key: string, index: number): TrueVersion | undefined {
    return at(this.#versions.get(key), index);
  }

  leaseAt(id: bigint, index: number): TrueLease | undefined {
    return at(this.#leases.get(id), index);
  }

  /** The index of the write that made a revision; undefined if nobody has applied one. */
  indexOfRevision(revision: number): number | undefined {
    return this.#byRevision.get(revision);
  }

  #decide(index: number, term: number, data: Uint8Array | undefined): Decided {
    const { store } = this;
    const before = store.revision;
    const { operation, origin } = data === undefined ? {} : decodeCommand(data);
    const result = operation && store.apply(operation, { index, term }, origin);
    const changes = store.changes.slice(before + 1).flat();
    for (const { key, version } of changes) note(this.#versions, key, { index, value: version });
    for (const id of operation === undefined ? [] : leasesIn(operation))
      note(this.#leases, id, { index, value: store.leases.get(id) });
    for (let revision = before + 1; revision <= store.revision; revision += 1)
      this.#byRevision.set(revision, index);
    const { revision, compactRevision } = store;
    return { term, data, operation, revision, compactRevision, result, changes };
  }
}

/** Leases that the operation may make, end or change. */
function leasesIn(operation: LoggedOperation): readonly bigint[] {
  switch (operation.case) {
    case "grantLease":
    case "revokeLease":
      return [operation.value.id];
    case "set":
    case "setIf":
      return operation.value.grantTtl > 0n ? [operation.value.lease] : [];
    case "expireLeases":
      return operation.value.ids;
    case "checkpointLeases":
      return operation.value.checkpoints.map(({ id }) => id);
    case "txn":
      return [...operation.value.success, ...operation.value.failure].flatMap(({ operation: each }) =>
        each.case === "set" || each.case === "txn" ? leasesIn(each) : [],
      );
    default:
      return [];
  }
}

function note<Key, Value>(pasts: Map<Key, Past<Value>>, key: Key, now: Past<Value>[number]): void {
  const past = pasts.get(key);
  if (past === undefined) pasts.set(key, [now]);
  else past.push(now);
}

function at<Value>(past: Past<Value> | undefined, index: number): Value | undefined {
  return past?.findLast((each) => each.index <= index)?.value;
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || Buffer.compare(a, b) === 0;
}

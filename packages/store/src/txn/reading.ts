/** How the operations of a command read more than one key: from what was prepared, with what is in front of it. */
import type { Compare } from "@dkv/protocol/dkv/peer/v1/command";
import { type ByteString, toByteString } from "../bytes.ts";
import { assert } from "../assert.ts";
import type { RangeOperation } from "../operation.ts";
import { readValue } from "../read/disk-keys.ts";
import { type Found, foundVersion, keyValueOf } from "../read/found.ts";
import { type Interval, intervalOf } from "../read/interval.ts";
import { MergedKeys } from "../read/merged-keys.ts";
import { queryOf } from "../read/query.ts";
import { needsValues, Selection } from "../read/selection.ts";
import { Refusal } from "../refusal.ts";
import type { KeyValue, RangeResult, Revision } from "../results.ts";
import type { StateReader } from "../storage.ts";
import { type Prepared, roomOf } from "./prepare.ts";
import type { Scope } from "./scope.ts";

export interface ReadingDeps {
  readonly scope: Scope;
  readonly reader: StateReader;
  /** Undefined if nothing had to be prepared. */
  readonly prepared: Prepared | undefined;
  /** Before the command. */
  readonly revision: Revision;
  /** As in Compaction. */
  readonly compactRevision: Revision;
  /** Whether somebody waits for what is read. */
  readonly isWanted: boolean;
}

export class Reading {
  readonly #deps: ReadingDeps;
  /** Bytes of keys and values that may still be answered. */
  #room = Number.POSITIVE_INFINITY;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  get scope(): Scope {
    return this.#deps.scope;
  }

  /** Whether somebody waits for what is read. */
  get isWanted(): boolean {
    return this.#deps.isWanted;
  }

  /** @param maxBytes of keys and values in all answers together; 0 for no bound */
  bound(maxBytes: bigint): void {
    this.#room = roomOf(maxBytes);
  }

  /** Those of an interval, as the operations so far have left it. */
  currentKeys(interval: Interval): readonly Found[] {
    return this.#keys(interval, 0);
  }

  /** As {@link currentKeys}, those alone that the disk does not have so. */
  unsavedKeys(interval: Interval): readonly Found[] {
    return new MergedKeys(this.scope.layers, interval, Number.POSITIVE_INFINITY).rest();
  }

  /** What `Prepared.compared` says. */
  compared(compare: Compare): boolean | undefined {
    return this.#prepared.compared(compare);
  }

  /** The first keys, as far as there is room for them, and one in any case. */
  answered(list: readonly Found[], keysOnly = false): readonly KeyValue[] {
    const answer: KeyValue[] = [];
    for (const found of list) {
      const value = keysOnly ? "" : this.#valueOf(found);
      const bytes = found.key.length + value.length;
      if (answer.length > 0 && bytes > this.#room) break;
      this.#room = Math.max(0, this.#room - bytes);
      answer.push(keyValueOf(found.key, found.facts, value));
    }
    return answer;
  }

  /** Throws the refusals `compacted` and `futureRevision`. */
  range(operation: RangeOperation): RangeResult {
    const { scope, revision, compactRevision, isWanted } = this.#deps;
    if (operation.revision > BigInt(revision)) throw new Refusal("futureRevision");
    // As in etcd, -1 is a revision that there is as long as nothing was given up.
    if (operation.revision !== 0n && operation.revision < BigInt(compactRevision))
      throw new Refusal("compacted");
    const at = scope.changes > 0 ? scope.revision : revision;
    if (!isWanted) return { kind: "range", revision: at, found: [], hasMore: false, count: 0 };
    const query = queryOf(operation);
    const selection = new Selection(query);
    selection.add(this.#candidates(operation));
    const { count, candidates } = selection;
    const known = needsValues(query)
      ? candidates.map((found) => ({ ...found, value: this.#valueOf(found) }))
      : candidates;
    const { found, hasMore } = selection.finish(known);
    const answer = this.answered(found, query.keysOnly);
    const isCut = answer.length < found.length;
    return { kind: "range", revision: at, found: answer, hasMore: hasMore || isCut, count };
  }

  #candidates({ key, rangeEnd, revision }: RangeOperation): readonly Found[] {
    if (rangeEnd.length > 0 || revision > 0n)
      return this.#keys(intervalOf(key, rangeEnd), Math.max(0, Number(revision)));
    const text = toByteString(key);
    const version = this.scope.version(text);
    return version === undefined ? [] : [foundVersion(text, version)];
  }

  #valueOf(found: Found): ByteString {
    return readValue(this.#deps.reader, found);
  }

  get #prepared(): Prepared {
    const { prepared } = this.#deps;
    assert(prepared !== undefined, "an interval is prepared before it is read");
    return prepared;
  }

  #keys(interval: Interval, revision: number): readonly Found[] {
    const merged = new MergedKeys(this.scope.layers, interval, revision || Number.POSITIVE_INFINITY);
    const onDisk = merged.through(this.#prepared.keys(interval, revision));
    return [...onDisk, ...merged.rest()];
  }
}

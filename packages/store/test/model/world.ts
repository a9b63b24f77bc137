/** A log, the member that applies it, and the model that says what has to come of it. */
import assert from "node:assert/strict";
import type { Origin } from "../../src/auth/auth-state.ts";
import { fromByteString, type ByteString } from "../../src/bytes.ts";
import { decodeChange } from "../../src/keyspace/change-record.ts";
import { checkRecord } from "../../src/keyspace/check-record.ts";
import { decodeIndex } from "../../src/keyspace/index-record.ts";
import type { LoggedOperation, RangeOperation } from "../../src/operation.ts";
import type { RangeResult, RefusedResult } from "../../src/results.ts";
import type { Change, LeaseId, Place } from "../../src/version.ts";
import { removeHistory } from "../commands.ts";
import { type Applying, type LogEntry, Member, type MemberOptions, type Saving } from "./member.ts";
import { type Expected, Model, unwanted } from "./model.ts";
import { rowsOf } from "./rules.ts";
import { keyValue } from "./select.ts";

/** What a step may choose by. */
export interface Now {
  readonly revision: number;
  readonly compactRevision: number;
  readonly term: number;
  /** Of the last entry. */
  readonly index: number;
  /** Of the rules. */
  readonly authRevision: bigint;
}

interface Logged {
  readonly entry: LogEntry;
  readonly expected: Expected | undefined;
}

/** When a read began. */
interface Asked {
  readonly revision: number;
  /** States that were taken over so far. */
  readonly installs: number;
}

export class World {
  #installs = 0;
  readonly model = new Model();
  readonly #options: MemberOptions;
  readonly #log: Logged[] = [];
  #member: Member;
  /** Holds an earlier state, until it takes over the newest one. */
  #other: Member;
  #term = 1;
  /** Reads under way, each with what is to be said about its outcome. */
  #reads: Promise<void>[] = [];

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#member = new Member(options);
    this.#other = new Member(options);
  }

  get now(): Now {
    const { revision, compactRevision, rules } = this.model;
    const { revision: authRevision } = rules;
    return { revision, compactRevision, term: this.#term, index: this.#log.length, authRevision };
  }

  async apply(operation: LoggedOperation, applying: Applying, origin?: Origin): Promise<void> {
    const place = { index: this.#log.length + 1, term: this.#term };
    const expected = this.model.apply(place, operation, origin);
    this.#log.push({ entry: { place, operation, origin }, expected });
    await this.#play(this.#log.length - 1, applying);
    this.#checkCounts();
  }

  /** A new leader begins with an entry that says nothing. */
  async newTerm(): Promise<void> {
    this.#term += 1;
    const place = { index: this.#log.length + 1, term: this.#term };
    this.#log.push({ entry: { place, operation: undefined }, expected: undefined });
    await this.#play(this.#log.length - 1, { isWanted: false, meanwhile: [] });
    this.#checkCounts();
  }

  async save(savings: readonly Saving[]): Promise<void> {
    for (const each of savings) await this.#member.save(each);
  }

  get(key: ByteString): void {
    const version = this.model.at(this.model.revision).get(key);
    assert.deepEqual(this.#member.store.get(fromByteString(key)), version && keyValue([key, version]));
  }

  /** Begins to read; the answer comes some steps later. */
  range(operation: RangeOperation): void {
    const asked = this.#asked();
    const read = this.#member.store.range(operation);
    this.#reads.push(read.then((result) => this.#checkRange(operation, result, asked)));
  }

  /** As {@link range}, of keys in their order. */
  page(operation: RangeOperation, maxBytes: number): void {
    const asked = this.#asked();
    const read = this.#member.store.range(operation, { maxBytes });
    this.#reads.push(read.then((result) => this.#checkPage(operation, result, { asked, maxBytes })));
  }

  /** As {@link range}: what keys were before their changes. */
  previous(from: Place, through: number): void {
    const changes = this.model.history(from, through);
    const read = this.#member.store.previous(changes);
    this.#reads.push(
      read.then((found) => {
        const { compactRevision } = this.model;
        const expected = changes.map((change, at) => {
          const isGivenUp = change.made.modRevision <= compactRevision;
          return isGivenUp && found[at] === undefined ? undefined : this.model.previous(change);
        });
        assert.deepEqual(found, expected);
      }),
    );
  }

  /** As {@link range}. */
  history(from: Place, through: number): void {
    const read = collect(this.#member.store.history(from, through));
    this.#reads.push(read.then((changes) => this.#checkHistory(changes, from, through)));
  }

  /** As {@link range}. */
  leases(id: LeaseId): void {
    const expected = this.model.leases;
    assert.deepEqual(this.#member.store.lease(id), expected.get(id));
    const read = collect(this.#member.store.leases());
    this.#reads.push(
      read.then((found) => {
        assert.equal(found.length, expected.size, "each lease is there once");
        assert.deepEqual(new Map(found), expected);
      }),
    );
  }

  async settle(): Promise<void> {
    const reads = this.#reads;
    this.#reads = [];
    await Promise.all(reads);
  }

  async crash(): Promise<void> {
    await this.settle();
    this.#member.crash();
    await this.#replay();
  }

  /** The other member takes over the state, and the work. It may be reading the one that it had. */
  async snapshot(): Promise<void> {
    this.#other.install(this.#member);
    this.#installs += 1;
    [this.#member, this.#other] = [this.#other, this.#member];
    await this.#replay();
  }

  /** Removes all history that was given up, and looks at what the disk holds then. */
  async clear(): Promise<void> {
    const most = this.model.changes.length / this.#options.pieceChanges + 1;
    for (let pieces = 0; !this.#member.store.compaction.isRemoved; pieces += 1) {
      assert.ok(pieces <= most, "removing history comes to an end");
      await this.apply(removeHistory, { isWanted: false, meanwhile: [] }, "member");
    }
    await this.#member.flush();
    const stored: Change[] = [];
    const indexed: unknown[] = [];
    for (const [text, record] of [...this.#member.disk.records].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const key = Buffer.from(text, "hex");
      const kind = checkRecord(key, record);
      if (kind === "change") stored.push(decodeChange(key, record));
      if (kind === "index") indexed.push(decodeIndex(key, record));
    }
    const kept = this.model.kept();
    assert.deepEqual(stored, kept);
    const last = kept.filter(({ isPassing }) => isPassing !== true);
    assert.deepEqual(indexed, last.map(indexOf).sort(byKeyAndRevision));
  }

  /** Replays what the disk has not. */
  async #replay(): Promise<void> {
    const { appliedIndex } = this.#member.store;
    for (let at = appliedIndex; at < this.#log.length; at += 1)
      await this.#play(at, { isWanted: at % 2 === 0, meanwhile: [] });
    this.#checkCounts();
  }

  async #play(at: number, applying: Applying): Promise<void> {
    const { entry, expected } = this.#log[at] ?? assert.fail("the log has it");
    const applied = await this.#member.apply(entry, applying);
    if (expected === undefined) return;
    const { result, changes } = expected;
    assert.deepEqual(applied?.result, applying.isWanted ? result : unwanted(result));
    assert.deepEqual(applied?.changes, changes);
  }

  #checkCounts(): void {
    const { revision, appliedIndex, compaction } = this.#member.store;
    assert.equal(revision, this.model.revision);
    assert.equal(appliedIndex, this.#log.length);
    assert.equal(compaction.revision, this.model.compactRevision);
    assert.deepEqual(rowsOf(this.#member.store.auth), this.model.rules.rows());
  }

  /** What was so when a range began. */
  #asked(): Asked {
    return { revision: this.model.revision, installs: this.#installs };
  }

  #checkRange(operation: RangeOperation, result: RangeResult | RefusedResult, asked: Asked): void {
    // A member that takes over another state reads that one, from its beginning; here it may be an older one.
    const isReplaced = this.#installs > asked.installs;
    if (result.kind === "range") {
      const isPast = operation.revision > 0n;
      assert.ok(result.revision <= this.model.revision);
      assert.ok(!isPast || operation.revision <= BigInt(result.revision));
      assert.deepEqual(result, this.model.range(operation, result.revision));
      // What is current is read anew only if it was given up meanwhile.
      const isLater = result.revision > asked.revision && this.model.compactRevision > asked.revision;
      assert.ok(isReplaced || result.revision === asked.revision || isLater);
    } else if (result.reason === "futureRevision")
      assert.ok(isReplaced || operation.revision > BigInt(asked.revision));
    else {
      assert.equal(result.reason, "compacted");
      assert.ok(operation.revision > 0n && operation.revision < BigInt(this.model.compactRevision));
    }
  }

  #checkPage(
    operation: RangeOperation,
    result: RangeResult | RefusedResult,
    { asked, maxBytes }: { readonly asked: Asked; readonly maxBytes: number },
  ): void {
    if (result.kind === "refused") {
      this.#checkRange(operation, result, asked);
      return;
    }
    const { found, hasMore, count } = result;
    const all = this.model.range({ ...operation, limit: 0n }, result.revision).found;
    assert.deepEqual(found, all.slice(0, found.length));
    assert.equal(hasMore, found.length < all.length);
    assert.equal(count, found.length);
    assert.ok(operation.limit === 0n || found.length <= operation.limit);
    assert.ok(found.length > 0 || all.length === 0, "a page has one key in any case");
    const bytes = found.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    assert.ok(bytes <= maxBytes || found.length === 1);
    const isFull = maxBytes < Number.POSITIVE_INFINITY || found.length === Number(operation.limit);
    assert.ok(isFull || !hasMore);
  }

  #checkHistory(found: readonly Change[], from: Place, through: number): void {
    const all = this.model.history(from, through);
    const isReadable = ({ made }: Change): boolean => made.modRevision >= this.model.compactRevision;
    assert.deepEqual(found.filter(isReadable), all.filter(isReadable));
    // Of what was given up some may still be there, in its order.
    const names = new Set(found.map(placeName));
    assert.deepEqual(
      found,
      all.filter((change) => names.has(placeName(change))),
    );
  }
}

async function collect<Item>(batches: AsyncIterable<readonly Item[]>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

const placeName = ({ made }: Change): string => `${String(made.modRevision)}.${String(made.sub)}`;

const indexOf = ({ key, made }: Change) => ({
  key,
  revision: made.modRevision,
  sub: made.sub,
  isDeleted: made.isDeleted,
});

type Index = ReturnType<typeof indexOf>;

const byKeyAndRevision = (a: Index, b: Index): number =>
  a.key === b.key ? a.revision - b.revision : a.key < b.key ? -1 : 1;

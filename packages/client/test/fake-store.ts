/**
 * What members of a cluster have in common, for scripted ones: keys with their history, leases and watches,
 * in memory and without anybody to agree with. Time does not pass in it: a test says when a lease is over.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  type Compare,
  CompareRelation,
  type DeleteRequest,
  type EventSchema,
  EventKind,
  type GetResponseSchema,
  type KeyInterval,
  type KeyValueSchema,
  type ListRequest,
  type ListResponseSchema,
  Retry,
  type SetRequest,
  type TxnOperation,
  type TxnRequest,
  type TxnResponseSchema,
  type TxnResultSchema,
  type WatchRequest,
  type WatchResponseSchema,
} from "@dkv/protocol/dkv/v1/dkv";

import { refusal } from "./refusal.ts";

/** A message that is to be sent, and not one that came. */
export type Init<Schema extends DescMessage> = Exclude<MessageInitShape<Schema>, MessageShape<Schema>>;

interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
  readonly version: bigint;
  readonly lease: bigint;
}

interface Change {
  readonly revision: bigint;
  readonly events: readonly Init<typeof EventSchema>[];
}

export class FakeStore {
  /** Of the newest change. */
  revision = 1n;
  compacted = 0n;
  readonly leases = new Map<bigint, bigint>();
  /** Ids of leases, each time that one is kept alive. */
  readonly renewals: bigint[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #past = new Map<bigint, ReadonlyMap<string, Entry>>();
  readonly #changes: Change[] = [];
  #news = Promise.withResolvers<void>();
  #pending: Init<typeof EventSchema>[] = [];

  get keys(): readonly string[] {
    return this.#sorted(this.#entries).map(({ key }) => key);
  }

  entry(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  text(key: string): string | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : Buffer.from(entry.value).toString();
  }

  get(key: string, revision: bigint): Init<typeof GetResponseSchema> {
    const entry = this.#at(revision).get(key);
    if (entry === undefined) throw refusal("key_not_found", Retry.NEVER, Code.NotFound);
    return { ...entry };
  }

  set(request: SetRequest): Entry | undefined {
    this.#check(request, request.ifAbsent);
    return this.#change(() => this.#put(request));
  }

  delete(request: DeleteRequest): Entry | undefined {
    this.#check(request, false);
    return this.#change(() => this.#remove(request.key));
  }

  list({ keys, limit, pageToken, revision, keysOnly }: ListRequest): Init<typeof ListResponseSchema> {
    const [after, pinned] = pageToken === "" ? ["", revision] : fromToken(pageToken);
    const shown = pinned === 0n ? this.revision : pinned;
    const all = this.#sorted(this.#at(shown)).filter(({ key }) => isMeant(key, keys) && key > after);
    const found = all.slice(0, limit === 0 ? 1000 : limit).map((entry) => hide(entry, keysOnly));
    const last = found.at(-1);
    const isLast = last === undefined || found.length === all.length;
    return { found, nextPageToken: isLast ? "" : `${shown}:${last.key}`, header: { revision: shown } };
  }

  txn(request: TxnRequest): Init<typeof TxnResponseSchema> {
    return this.#change(() => this.#txn(request));
  }

  compact(revision: bigint): void {
    if (revision <= this.compacted) throw this.#compactedError();
    this.compacted = revision;
  }

  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<Init<typeof WatchResponseSchema>> {
    const { keys, startRevision, exclude } = request;
    let next = startRevision === 0n ? this.revision + 1n : startRevision;
    if (next < this.compacted) throw this.#compactedError();
    yield { revision: next - 1n };
    while (!signal.aborted) {
      const news = this.#news.promise;
      const due = this.#changes.filter(({ revision }) => revision >= next);
      for (const { revision, events } of due) {
        const wanted = events.filter(
          ({ kind, kv }) => isMeant(kv?.key ?? "", keys) && !exclude.includes(kind ?? 0),
        );
        const told = request.returnPrevious
          ? wanted
          : wanted.map(({ kind, kv }) => ({ kind: kind ?? 0, kv: kv ?? {} }));
        if (told.length > 0) yield { events: told, revision };
        next = revision + 1n;
      }
      if (due.length === 0) await Promise.race([news, aborted(signal)]);
    }
  }

  grant(id: bigint, ttlSeconds: bigint): void {
    if (this.leases.has(id)) throw refusal("lease_exists", Retry.NEVER, Code.AlreadyExists);
    this.leases.set(id, ttlSeconds);
  }

  ttlOf(id: bigint): bigint {
    const ttlSeconds = this.leases.get(id);
    if (ttlSeconds === undefined) throw refusal("lease_not_found", Retry.NEVER, Code.NotFound);
    return ttlSeconds;
  }

  /** Ends a lease: because it was revoked, or its time is over. */
  end(id: bigint): void {
    this.ttlOf(id);
    this.leases.delete(id);
    this.#change(() => {
      for (const key of this.keysOf(id)) this.#remove(key);
    });
  }

  keysOf(lease: bigint): readonly string[] {
    return this.#sorted(this.#entries)
      .filter((entry) => entry.lease === lease)
      .map(({ key }) => key);
  }

  #at(revision: bigint): ReadonlyMap<string, Entry> {
    if (revision === 0n || revision === this.revision) return this.#entries;
    if (revision > this.revision) throw refusal("future_revision", Retry.NEVER, Code.OutOfRange);
    if (revision < this.compacted) throw this.#compactedError();
    return this.#past.get(revision) ?? new Map();
  }

  #compactedError(): Error {
    return refusal("compacted", Retry.NEVER, Code.OutOfRange, this.compacted);
  }

  #check(request: Pick<SetRequest, "key" | "ifVersion" | "ifModRevision">, ifAbsent: boolean): void {
    const { version = 0n, modRevision = 0n } = this.#entries.get(request.key) ?? {};
    const holds =
      (request.ifVersion ?? version) === version &&
      (request.ifModRevision ?? modRevision) === modRevision &&
      !(ifAbsent && version > 0n);
    if (!holds) throw refusal("precondition_failed", Retry.NEVER, Code.FailedPrecondition);
  }

  /** All that the work does is one revision. */
  #change<Result>(work: () => Result): Result {
    const before = new Map(this.#entries);
    const result = work();
    if (this.#pending.length === 0) return result;
    this.#past.set(this.revision, before);
    this.revision += 1n;
    this.#changes.push({ revision: this.revision, events: this.#pending });
    this.#pending = [];
    this.#news.resolve();
    this.#news = Promise.withResolvers();
    return result;
  }

  #put({ key, value, lease }: Pick<SetRequest, "key" | "value" | "lease">): Entry | undefined {
    if (lease !== 0n) this.ttlOf(lease);
    const previous = this.#entries.get(key);
    const modRevision = this.revision + 1n;
    const { createRevision = modRevision, version = 0n } = previous ?? {};
    const kv = { key, value, createRevision, modRevision, version: version + 1n, lease };
    this.#entries.set(key, kv);
    this.#pending.push({ kind: EventKind.SET, kv, ...(previous !== undefined && { previous }) });
    return previous;
  }

  #remove(key: string): Entry | undefined {
    const previous = this.#entries.get(key);
    if (previous === undefined) return undefined;
    this.#entries.delete(key);
    const kv = { key, modRevision: this.revision + 1n };
    this.#pending.push({ kind: EventKind.DELETE, kv, previous });
    return previous;
  }

  #txn({ compares, success, failure }: TxnRequest): Init<typeof TxnResponseSchema> {
    const succeeded = compares.every((compare) => this.#holds(compare));
    const results = (succeeded ? success : failure).map((operation) => this.#operate(operation));
    return { succeeded, results };
  }

  #operate({ operation }: TxnOperation): Init<typeof TxnResultSchema> {
    switch (operation.case) {
      case "get": {
        const { keys, limit, keysOnly } = operation.value;
        const all = this.#meant(keys);
        const found = all.slice(0, limit === 0 ? all.length : limit).map((entry) => hide(entry, keysOnly));
        return {
          result: {
            case: "get",
            value: { found, count: BigInt(all.length), more: found.length < all.length },
          },
        };
      }
      case "set": {
        const previous = this.#put(operation.value);
        return {
          result: { case: "set", value: operation.value.returnPrevious && previous ? { previous } : {} },
        };
      }
      case "delete": {
        const previous = this.#meant(operation.value.keys);
        for (const { key } of previous) this.#remove(key);
        const value = {
          deleted: BigInt(previous.length),
          previous: operation.value.returnPrevious ? [...previous] : [],
        };
        return { result: { case: "delete", value } };
      }
      case "txn":
        return { result: { case: "txn", value: this.#txn(operation.value) } };
      case undefined:
        throw refusal("invalid_request", Retry.NEVER, Code.InvalidArgument);
    }
  }

  #holds({ keys, relation, target }: Compare): boolean {
    const missing = { version: 0n, createRevision: 0n, modRevision: 0n, lease: 0n, value: undefined };
    const entries = this.#meant(keys);
    return (entries.length === 0 ? [missing] : entries).every((entry) => {
      if (target.case === undefined) return false;
      if (target.case === "value")
        return entry.value !== undefined && relates(Buffer.compare(entry.value, target.value), relation);
      const difference = entry[target.case] - target.value;
      return relates(difference < 0n ? -1 : difference > 0n ? 1 : 0, relation);
    });
  }

  #meant(keys: KeyInterval | undefined): readonly Entry[] {
    return this.#sorted(this.#entries).filter(({ key }) => isMeant(key, keys));
  }

  #sorted(entries: ReadonlyMap<string, Entry>): readonly Entry[] {
    return [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }
}

function relates(order: number, relation: CompareRelation): boolean {
  if (relation === CompareRelation.GREATER) return order > 0;
  if (relation === CompareRelation.LESS) return order < 0;
  return (order === 0) === (relation === CompareRelation.UNSPECIFIED);
}

function isMeant(key: string, interval: KeyInterval | undefined): boolean {
  const keys = interval?.keys;
  if (keys?.case === "key") return key === keys.value;
  if (keys?.case === "prefix") return key.startsWith(keys.value);
  if (keys?.case !== "bounds") return false;
  const { from, before } = keys.value;
  return key >= from && (before === "" || key < before);
}

function fromToken(token: string): readonly [string, bigint] {
  const colon = token.indexOf(":");
  return [token.slice(colon + 1), BigInt(token.slice(0, colon))];
}

const hide = (entry: Entry, keysOnly: boolean): Init<typeof KeyValueSchema> & { readonly key: string } =>
  keysOnly ? { ...entry, value: new Uint8Array() } : entry;

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}

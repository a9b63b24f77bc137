import type { DkvClientError, TxnOperation } from "@dkv/client";
import type { Batch, FoundKeys, Prefix, SetOptions, Store, TxnAnswer, WatchFrom } from "../load/store.ts";
import { type Door, openDoor } from "./door.ts";
import { canceled, failure, failureOf } from "./failures.ts";
import {
  bytes,
  prefixRange,
  readBatch,
  readKeyValue,
  readResponseOp,
  revisionOf,
  toRequestOp,
} from "./messages.ts";
import { held, only } from "./requests.ts";

export interface EtcdStoreOptions {
  /** Host and port of members. One after the other is asked, the next one when a request has failed. */
  readonly endpoints: readonly string[];
  readonly caFile: string;
  readonly timeoutMs: number;
}

/** A client that knows nothing but etcd's API, and repeats nothing: what is not answered has an unknown outcome. */
export class EtcdStore implements Store {
  readonly #options: EtcdStoreOptions;
  #turn = 0;
  #door: Door | undefined;

  /** Connects to nothing yet. */
  constructor(options: EtcdStoreOptions) {
    this.#options = options;
  }

  async get(key: string) {
    const { kvs } = await this.#read(({ kv }, limits) => kv.range({ key: bytes(key) }, limits));
    return kvs[0];
  }

  async set(key: string, value: string, { lease, ttlSeconds }: SetOptions = {}): Promise<unknown> {
    // Etcd knows no keys that end by themselves.
    const own = ttlSeconds === undefined ? lease : (await this.grantLease(ttlSeconds)).id;
    const put = { key: bytes(key), value: bytes(value), lease: own ?? 0n };
    return this.#write(({ kv }, limits) => kv.put(put, limits));
  }

  async delete(key: string) {
    const { deleted } = await this.#write(({ kv }, limits) => kv.deleteRange({ key: bytes(key) }, limits));
    return { deleted: deleted > 0n };
  }

  async txn({ success }: { readonly success: readonly TxnOperation[] }): Promise<TxnAnswer> {
    const request = { success: success.map(toRequestOp) };
    const { responses, header } = await this.#write(({ kv }, limits) => kv.txn(request, limits));
    return { results: responses.map(readResponseOp), header: revisionOf(header) };
  }

  async listPage({ prefix }: Prefix, { limit = 0, revision = 0 } = {}): Promise<FoundKeys> {
    const request = { ...prefixRange(prefix), limit: BigInt(limit), revision: BigInt(revision) };
    const { kvs, header } = await this.#read(({ kv }, limits) => kv.range(request, limits));
    return { found: kvs.map(readKeyValue), header: revisionOf(header) };
  }

  /** Ends with an error when its member is lost. */
  watch(keys: Prefix, from: WatchFrom): { batches(): AsyncIterable<Batch> } {
    return { batches: () => this.#batches(keys, from) };
  }

  async compact(revision: number): Promise<unknown> {
    return this.#write(({ kv }, limits) => kv.compact({ revision: BigInt(revision) }, limits));
  }

  async grantLease(ttlSeconds: number) {
    const request = { TTL: BigInt(ttlSeconds) };
    const { ID, TTL } = await this.#write(({ lease }, limits) => lease.leaseGrant(request, limits));
    return { id: ID, ttlSeconds: Number(TTL) };
  }

  async keepLeaseAlive(id: bigint) {
    const left = await this.#write(async ({ lease }, limits) => {
      for await (const { TTL } of lease.leaseKeepAlive(only({ ID: id }), limits)) return TTL;
      return 0n;
    });
    if (left === 0n) throw failure("lease_not_found", "never", "the lease is not there");
    return { ttlSeconds: Number(left) };
  }

  async revokeLease(id: bigint): Promise<unknown> {
    try {
      return await this.#write(({ lease }, limits) => lease.leaseRevoke({ ID: id }, limits));
    } catch (error) {
      // It had ended by itself, or an earlier attempt was late.
      if ((error as DkvClientError).code === "lease_not_found") return undefined;
      throw error;
    }
  }

  close(): void {
    this.#door?.close();
    this.#door = undefined;
  }

  #read<Answer>(call: Call<Answer>): Promise<Answer> {
    return this.#ask(call, false);
  }

  #write<Answer>(call: Call<Answer>): Promise<Answer> {
    return this.#ask(call, true);
  }

  async #ask<Answer>(call: Call<Answer>, isWrite: boolean): Promise<Answer> {
    const door = this.#open();
    try {
      return await call(door, { timeoutMs: this.#options.timeoutMs });
    } catch (error) {
      throw this.#failed(door, failureOf(error, isWrite));
    }
  }

  async *#batches({ prefix }: Prefix, from: WatchFrom): AsyncGenerator<Batch> {
    const door = this.#open();
    const value = { ...prefixRange(prefix), startRevision: BigInt(from.startRevision) };
    const create = { requestUnion: { case: "createRequest", value } } as const;
    const leaving = new AbortController();
    const signal = AbortSignal.any([from.signal, leaving.signal]);
    try {
      for await (const told of door.watch.watch(held(create, signal), { signal })) {
        if (told.canceled) throw canceled(told);
        if (!told.created) yield readBatch(told);
      }
      throw failure("connection_lost", "notApplied", "the watch has ended");
    } catch (error) {
      if (!from.signal.aborted) from.onReconnect();
      throw this.#failed(door, failureOf(error, false));
    } finally {
      // Who breaks off its loop has not told the member.
      leaving.abort();
    }
  }

  #open(): Door {
    const { endpoints, caFile } = this.#options;
    this.#door ??= openDoor(endpoints[this.#turn % endpoints.length] ?? "", caFile);
    return this.#door;
  }

  /** What may be the connection's fault, or the member's, has the next request begin anew elsewhere. */
  #failed(door: Door, error: DkvClientError): DkvClientError {
    if (error.retry !== "never" && door === this.#door) {
      this.#turn += 1;
      this.close();
    }
    return error;
  }
}

type Call<Answer> = (door: Door, limits: { readonly timeoutMs: number }) => Promise<Answer>;

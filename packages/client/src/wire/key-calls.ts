/** The calls of the service of keys. */
import type { Client } from "@connectrpc/connect";
import type { DkvAPI } from "@dkv/protocol/dkv/v1/dkv";

import { DkvClientError } from "../errors.ts";
import type {
  CompactResult,
  DeleteRequest,
  DeleteResult,
  GetRequest,
  GetResult,
  ListRequest,
  Page,
  SetRequest,
  SetResult,
  WatchBatch,
  WatchRequest,
} from "../keys.ts";
import { type OpenStream, openStream } from "../stream.ts";
import type { Txn, TxnResult } from "../txn.ts";
import type { Ask, CallLimits } from "./ask.ts";
import {
  readBatch,
  readDelete,
  readFound,
  readPage,
  readSet,
  toDelete,
  toGet,
  toList,
  toSet,
  toWatch,
} from "./key-messages.ts";
import { readHeader } from "./messages.ts";
import { type Piped, type PipedAnswer, readPiped, toPiped } from "./pipe-messages.ts";
import { readTxn, toTxn } from "./txn-messages.ts";

export interface KeyCalls {
  /** Undefined if there is no such key. */
  get(request: GetRequest, limits: CallLimits): Promise<GetResult | undefined>;
  set(request: SetRequest, limits: CallLimits): Promise<SetResult>;
  delete(request: DeleteRequest, limits: CallLimits): Promise<DeleteResult>;
  list(request: ListRequest, limits: CallLimits): Promise<Page>;
  txn(txn: Txn, limits: CallLimits): Promise<TxnResult>;
  compact(
    request: { readonly revision: number; readonly wait: boolean },
    limits: CallLimits,
  ): Promise<CompactResult>;
  /** Resolves once the member misses nothing any more; the limits count no longer then. */
  watch(request: WatchRequest, limits: CallLimits): Promise<OpenStream<WatchBatch>>;
  /** Answers in any order, for as long as requests come. The signal ends all. */
  pipe(requests: AsyncIterable<Piped>, signal: AbortSignal): AsyncIterable<PipedAnswer>;
}

export function createKeyCalls(client: Client<typeof DkvAPI>, ask: Ask): KeyCalls {
  return {
    async get(request, limits) {
      try {
        return readFound(await ask.once(limits, async (options) => client.get(toGet(request), options)));
      } catch (error) {
        if (error instanceof DkvClientError && error.code === "key_not_found") return undefined;
        throw error;
      }
    },
    async set(request, limits) {
      return readSet(await ask.once(limits, async (options) => client.set(toSet(request), options)));
    },
    async delete(request, limits) {
      return readDelete(await ask.once(limits, async (options) => client.delete(toDelete(request), options)));
    },
    async list(request, limits) {
      return readPage(await ask.once(limits, async (options) => client.list(toList(request), options)));
    },
    async txn(txn, limits) {
      return readTxn(await ask.once(limits, async (options) => client.txn(toTxn(txn), options)));
    },
    async compact({ revision, wait }, limits) {
      const request = { revision: BigInt(revision), wait };
      const { header } = await ask.once(limits, async (options) => client.compact(request, options));
      return { header: readHeader(header) };
    },
    async watch(request, limits) {
      const open = async function* (signal: AbortSignal): AsyncGenerator<WatchBatch> {
        for await (const message of client.watch(toWatch(request), { signal })) yield readBatch(message);
      };
      return openStream(open, limits.signal, ask.explain);
    },
    async *pipe(requests, signal) {
      try {
        for await (const answer of client.pipe(mapped(requests), { signal })) yield readPiped(answer);
      } catch (error) {
        throw ask.explain(error);
      }
    },
  };
}

async function* mapped(requests: AsyncIterable<Piped>): AsyncGenerator<ReturnType<typeof toPiped>> {
  for await (const request of requests) yield toPiped(request);
}

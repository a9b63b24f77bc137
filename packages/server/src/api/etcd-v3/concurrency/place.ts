/**
 * Places in a queue, as clients of etcd keep it too: keys below one prefix, each with a lease. Who came
 * first, by the revision in which its key came into being, owns what the prefix is about; it leaves by the
 * end of its key.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  type CompareSchema,
  KV,
  Lease,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
  type RangeRequestSchema,
  type ResponseHeader,
  WatchCreateRequest_FilterType,
  type WatchCreateRequestSchema,
} from "@dkv/protocol/etcdserverpb/rpc";
import { Event_EventType } from "@dkv/protocol/mvccpb/kv";
import type { Surroundings } from "../../generated-stream.ts";
import type { OwnCalls } from "./own-calls.ts";

type Range = MessageInitShape<typeof RangeRequestSchema>;

export interface Place {
  readonly prefix: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array<ArrayBuffer>;
  readonly createRevision: bigint;
}

/** Of those who bring no lease: seconds. */
const defaultTtl = 60n;

const slash = 0x2f;

/** Where those stand who want the same: below the name and a slash. */
export const prefixOf = (name: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.concat([name, Uint8Array.of(slash)]));

/** The key of one of them. */
export function keyOf(name: Uint8Array, lease: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat([prefixOf(name), Buffer.from(lease.toString(16))]));
}

/** The end of the keys below a prefix: its slash is never the last byte there is. */
export function rangeEndOf(prefix: Uint8Array): Uint8Array<ArrayBuffer> {
  const end = Uint8Array.from(prefix);
  end[end.length - 1] = slash + 1;
  return end;
}

/** The lease that was given, or a new one. */
export async function leaseFor(calls: OwnCalls, given: bigint, surroundings: Surroundings): Promise<bigint> {
  if (given !== 0n) return given;
  return (await calls.call(Lease.method.leaseGrant, { TTL: defaultTtl }, surroundings)).ID;
}

/** A place that was taken, or was there. */
export interface Entered {
  readonly place: Place;
  /** Of the answer that said so. */
  readonly header: ResponseHeader | undefined;
  /** What the key had, if it was there. */
  readonly value: Uint8Array | undefined;
  /** Whether nobody was before it. */
  readonly isFirst: boolean;
}

/** Takes the place of a lease, with a value, unless it has it already. */
export async function enter(
  calls: OwnCalls,
  wanted: { readonly name: Uint8Array; readonly lease: bigint; readonly value?: Uint8Array<ArrayBuffer> },
  surroundings: Surroundings,
): Promise<Entered> {
  const { lease, value = nothing } = wanted;
  const prefix = prefixOf(wanted.name);
  const key = keyOf(wanted.name, lease);
  const put = { request: { case: "requestPut", value: { key, value, lease } } } as const;
  const get = { request: { case: "requestRange", value: { key } } } as const;
  const getFirst = { request: { case: "requestRange", value: firstOf(prefix) } } as const;
  const txn = { compare: [createdIn(key, 0n)], success: [put, getFirst], failure: [get, getFirst] };
  const { header, succeeded, responses } = await calls.call(KV.method.txn, txn, surroundings);
  const [kept, first] = responses.map(({ response }) =>
    response.case === "responseRange" ? response.value.kvs[0] : undefined,
  );
  const createRevision = (succeeded ? header?.revision : kept?.createRevision) ?? 0n;
  const place = { prefix, key, createRevision };
  return { place, header, value: kept?.value, isFirst: first?.createRevision === createRevision };
}

const nothing = new Uint8Array();

/** Asks for who came first. */
export const firstOf = (prefix: Uint8Array<ArrayBuffer>): Range => ({
  key: prefix,
  rangeEnd: rangeEndOf(prefix),
  limit: 1n,
  sortOrder: RangeRequest_SortOrder.ASCEND,
  sortTarget: RangeRequest_SortTarget.CREATE,
});

/** Asks for who came last of those before a place. */
const lastBefore = ({ prefix, createRevision }: Place): Range => ({
  ...firstOf(prefix),
  sortOrder: RangeRequest_SortOrder.DESCEND,
  maxCreateRevision: createRevision - 1n,
});

/**
 * Resolves when nobody is before the place any more, with the header of what said so. It waits for the one
 * before alone, so that an end has one of those who wait look, and not all. Rejects when the place is lost,
 * the caller has gone, or no more can be learnt; the place is still there then, unless it was lost.
 *
 * @param lost what is thrown if the place is lost while it is waited for
 */
export async function turnOf(
  calls: OwnCalls,
  place: Place,
  { lost, ...surroundings }: Surroundings & { readonly lost: () => ConnectError },
): Promise<ResponseHeader | undefined> {
  for (;;) {
    surroundings.signal.throwIfAborted();
    const before = await calls.call(KV.method.range, lastBefore(place), surroundings);
    // What this member has by now is no older than what it has just answered.
    const local = { key: place.key, serializable: true, keysOnly: true };
    const own = await calls.call(KV.method.range, local, surroundings);
    if (own.kvs[0]?.createRevision !== place.createRevision) throw lost();
    const [last] = before.kvs;
    if (last === undefined) return before.header;
    const from = (before.header?.revision ?? 0n) + 1n;
    await endOf(calls, { keys: [Uint8Array.from(last.key), place.key], from }, surroundings);
  }
}

interface Awaited {
  readonly keys: readonly Uint8Array<ArrayBuffer>[];
  readonly from: bigint;
}

/** Resolves when one of the keys was deleted, or may have been. */
async function endOf(calls: OwnCalls, { keys, from }: Awaited, surroundings: Surroundings): Promise<void> {
  const creates = keys.map((key) => deletesOf(key, from));
  for await (const { events, canceled } of calls.watch(creates, surroundings))
    if (canceled || events.some(({ type }) => type === Event_EventType.DELETE)) return;
}

const deletesOf = (
  key: Uint8Array<ArrayBuffer>,
  startRevision: bigint,
): MessageInitShape<typeof WatchCreateRequestSchema> => ({
  key,
  startRevision,
  filters: [WatchCreateRequest_FilterType.NOPUT],
});

/** Leaves a place, unless it is another one's by now. */
export async function leave(
  calls: OwnCalls,
  { key, createRevision }: Pick<Place, "key" | "createRevision">,
  surroundings: Pick<Surroundings, "fields">,
): Promise<ResponseHeader | undefined> {
  const deletion = { request: { case: "requestDeleteRange", value: { key } } } as const;
  const txn = { compare: [createdIn(key, createRevision)], success: [deletion] };
  return (await calls.call(KV.method.txn, txn, surroundings)).header;
}

/** Holds if the key came into being in that revision; with 0, if there is none. */
export function createdIn(
  key: Uint8Array<ArrayBuffer>,
  createRevision: bigint,
): MessageInitShape<typeof CompareSchema> {
  const targetUnion = { case: "createRevision", value: createRevision } as const;
  return { key, target: Compare_CompareTarget.CREATE, result: Compare_CompareResult.EQUAL, targetUnion };
}

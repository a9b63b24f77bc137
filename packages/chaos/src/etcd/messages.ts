/** The load's words as messages of etcd's API, and back. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TxnOperation } from "@dkv/client";
import type {
  RequestOpSchema,
  ResponseHeader,
  ResponseOp,
  WatchResponse,
} from "@dkv/protocol/etcdserverpb/rpc";
import { Event_EventType, type KeyValue } from "@dkv/protocol/mvccpb/kv";
import type { AtRevision, Batch, FoundKey, OperationResult } from "../load/store.ts";

export const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text));

/** The keys that begin so. Names of this load end in letters, which have a next one. */
export function prefixRange(prefix: string) {
  const rangeEnd = bytes(prefix);
  const last = rangeEnd.length - 1;
  rangeEnd[last] = (rangeEnd[last] ?? 0) + 1;
  return { key: bytes(prefix), rangeEnd };
}

export function toRequestOp(operation: TxnOperation): MessageInitShape<typeof RequestOpSchema> {
  switch (operation.kind) {
    case "get":
      return { request: { case: "requestRange", value: rangeOf(operation.keys) } };
    case "set": {
      const value = { key: bytes(operation.key), value: Uint8Array.from(operation.value) };
      return { request: { case: "requestPut", value } };
    }
    case "delete":
      return { request: { case: "requestDeleteRange", value: rangeOf(operation.keys) } };
    case "txn":
      throw new Error("transactions of this load have none within them");
  }
}

function rangeOf(keys: Extract<TxnOperation, { readonly kind: "get" }>["keys"]) {
  if ("key" in keys) return { key: bytes(keys.key) };
  if ("prefix" in keys) return prefixRange(keys.prefix);
  throw new Error("this load asks for keys by their names and beginnings");
}

export function readResponseOp({ response }: ResponseOp): OperationResult {
  switch (response.case) {
    case "responseRange":
      return { kind: "get", found: response.value.kvs.map(readKeyValue) };
    case "responseDeleteRange":
      return { kind: "delete", deleted: Number(response.value.deleted) };
    default:
      return { kind: "set" };
  }
}

export const revisionOf = (header: ResponseHeader | undefined): AtRevision => ({
  revision: Number(header?.revision ?? 0n),
});

export function readKeyValue({ key, value, createRevision, modRevision }: KeyValue): FoundKey {
  return {
    key: Buffer.from(key).toString(),
    value,
    createRevision: Number(createRevision),
    modRevision: Number(modRevision),
  };
}

/** A message with changes says nothing of later ones; one without tells how far the watch has come. */
export function readBatch({ events, header }: WatchResponse): Batch {
  const read = events.flatMap(({ type, kv }) => {
    const kind = type === Event_EventType.DELETE ? ("delete" as const) : ("set" as const);
    return kv === undefined ? [] : [{ kind, kv: readKeyValue(kv) }];
  });
  return { revision: read.at(-1)?.kv.modRevision ?? Number(header?.revision ?? 0n), events: read };
}

/** Keys, from and to messages of dkv.v1. What reads throws DkvClientError as `readHeader` does. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type DeleteRequestSchema,
  type DeleteResponse,
  type Event,
  EventKind,
  type GetRequestSchema,
  type GetResponse,
  type KeyIntervalSchema,
  type KeyValue as WireKeyValue,
  type ListRequestSchema,
  type ListResponse,
  type SetRequestSchema,
  type SetResponse,
  type WatchRequestSchema,
  type WatchResponse,
} from "@dkv/protocol/dkv/v1/dkv";

import type {
  DeleteRequest,
  DeleteResult,
  GetRequest,
  GetResult,
  Keys,
  KeyValue,
  ListRequest,
  Page,
  SetRequest,
  SetResult,
  WatchBatch,
  WatchEvent,
  WatchRequest,
} from "../keys.ts";
import { readCount, readHeader } from "./messages.ts";

export function toInterval(keys: Keys): MessageInitShape<typeof KeyIntervalSchema> {
  if ("key" in keys) return { keys: { case: "key", value: keys.key } };
  if ("prefix" in keys) return { keys: { case: "prefix", value: keys.prefix } };
  const { from = "", before = "" } = keys;
  return { keys: { case: "bounds", value: { from, before } } };
}

export function toGet({ revision, ...request }: GetRequest): MessageInitShape<typeof GetRequestSchema> {
  return { ...request, revision: BigInt(revision) };
}

export function toSet(request: SetRequest): MessageInitShape<typeof SetRequestSchema> {
  const { ttlSeconds, ifVersion, ifModRevision, ...rest } = request;
  return { ...rest, ttlSeconds: BigInt(ttlSeconds), ...toConditions({ ifVersion, ifModRevision }) };
}

export function toDelete(request: DeleteRequest): MessageInitShape<typeof DeleteRequestSchema> {
  const { key, returnPrevious, ...conditions } = request;
  return { key, returnPrevious, ...toConditions(conditions) };
}

interface Conditions {
  readonly ifVersion?: bigint;
  readonly ifModRevision?: bigint;
}

function toConditions({
  ifVersion,
  ifModRevision,
}: Pick<SetRequest, "ifVersion" | "ifModRevision">): Conditions {
  return {
    ...(ifVersion !== undefined && { ifVersion: BigInt(ifVersion) }),
    ...(ifModRevision !== undefined && { ifModRevision: BigInt(ifModRevision) }),
  };
}

export function toList({ keys, revision, ...rest }: ListRequest): MessageInitShape<typeof ListRequestSchema> {
  return { ...rest, keys: toInterval(keys), revision: BigInt(revision) };
}

export function toWatch(request: WatchRequest): MessageInitShape<typeof WatchRequestSchema> {
  const { keys, startRevision, exclude, ...rest } = request;
  const kinds = exclude.map((kind) => (kind === "set" ? EventKind.SET : EventKind.DELETE));
  return { ...rest, keys: toInterval(keys), startRevision: BigInt(startRevision), exclude: kinds };
}

export function readFound(response: GetResponse): GetResult {
  const { value, createRevision, modRevision, version, lease, header } = response;
  return {
    value,
    createRevision: readCount(createRevision),
    modRevision: readCount(modRevision),
    version: readCount(version),
    lease: lease === 0n ? undefined : lease,
    header: readHeader(header),
  };
}

export function readKeyValue(message: WireKeyValue): KeyValue {
  const { key, rawKey, value, createRevision, modRevision, version, lease } = message;
  return {
    key,
    rawKey: rawKey.length === 0 ? undefined : rawKey,
    value,
    createRevision: readCount(createRevision),
    modRevision: readCount(modRevision),
    version: readCount(version),
    lease: lease === 0n ? undefined : lease,
  };
}

export function readPrevious(message: WireKeyValue | undefined): KeyValue | undefined {
  return message === undefined ? undefined : readKeyValue(message);
}

export function readSet({ previous, header }: SetResponse): SetResult {
  return { previous: readPrevious(previous), header: readHeader(header) };
}

export function readDelete({ deleted, previous, header }: DeleteResponse): DeleteResult {
  return { deleted, previous: readPrevious(previous), header: readHeader(header) };
}

export function readPage({ found, nextPageToken, header }: ListResponse): Page {
  return {
    found: found.map(readKeyValue),
    nextPageToken: nextPageToken === "" ? undefined : nextPageToken,
    header: readHeader(header),
  };
}

/** Events of a kind that this client has no name for are left out: nobody can have asked for them. */
export function readBatch({ events, revision }: WatchResponse): WatchBatch {
  return { events: events.flatMap(readEvent), revision: readCount(revision) };
}

function readEvent({ kind, kv, previous }: Event): readonly WatchEvent[] {
  if (kv === undefined || (kind !== EventKind.SET && kind !== EventKind.DELETE)) return [];
  const name = kind === EventKind.SET ? "set" : "delete";
  return [{ kind: name, kv: readKeyValue(kv), previous: readPrevious(previous) }];
}

/** Requests between members and answers: each is a number, and bytes that only consensus/ understands. */
import type { PeerFrame, PeerRequest } from "../transport/peer-transport.ts";
import { DecodeError } from "./decode-error.ts";
import { message2, number1 } from "./tags.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Of one frame's requests, and again of its responses: a frame with more is neither sent nor accepted. */
export const requestLimits = { count: 1024, bytes: 4 * 2 ** 20 } as const;

/** Bytes that no request can exceed other than its body. */
const requestBound = 32;

/** Whether a frame may leave. */
export function keepsRequestLimits({ requests, responses }: PeerFrame): boolean {
  return areFew(requests) && areFew(responses);
}

function areFew(list: readonly PeerRequest[]): boolean {
  if (list.length === 0) return true;
  return list.length <= requestLimits.count && bodyBytes(list) <= requestLimits.bytes;
}

/** At least the bytes that {@link writeRequests} writes. */
export function requestsSizeBound(list: readonly PeerRequest[]): number {
  return list.length === 0 ? 0 : list.length * requestBound + bodyBytes(list);
}

function bodyBytes(list: readonly PeerRequest[]): number {
  let bytes = 0;
  for (const { body } of list) bytes += body.length;
  return bytes;
}

/** Descending, like everything that a {@link WireWriter} writes. */
export function writeRequests(writer: WireWriter, field: number, list: readonly PeerRequest[]): void {
  if (list.length === 0) return;
  for (const { id, body } of list.toReversed()) {
    const end = writer.mark();
    if (body.length > 0) writer.bytes(2, body);
    writer.count(1, id);
    writer.message(field, end);
  }
}

/** What a frame holds of one sort, as it is read. */
export interface RequestList {
  readonly items: PeerRequest[];
  bytes: number;
}

/**
 * Reads the next one into the list, or the first one into a list of its own; its body is a view. Throws a
 * DecodeError, also where there are too many.
 */
export function readRequest(reader: WireReader, list: RequestList = { items: [], bytes: 0 }): RequestList {
  const outer = reader.enter();
  let id = 0;
  let body = noBytes;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === number1) id = reader.count();
    else if (tag === message2) body = reader.bytes();
    else reader.skip(tag);
  }
  reader.leave(outer);
  list.bytes += body.length;
  if (list.items.push({ id, body }) > requestLimits.count || list.bytes > requestLimits.bytes)
    throw new DecodeError("a frame holds more requests than one may");
  return list;
}

const noBytes: Uint8Array = new Uint8Array(0);

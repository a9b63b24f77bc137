/**
 * Reads the requests that make up nearly all that are made, straight from their bytes: a set of a key and its
 * value, a get, a delete, and nothing else in them. protobuf-es takes 1.2 µs for a set of 256 bytes, this
 * 0.25.
 *
 * Whatever else a request is, valid or not, is left to protobuf-es.
 */
import { isUtf8 } from "node:buffer";
import { DkvError } from "../../platform/errors.ts";
import { requestTooLarge } from "../request-limit.ts";

export interface PlainSet {
  readonly kind: "set";
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface PlainGet {
  readonly kind: "get";
  readonly key: Buffer;
  readonly isSerializable: boolean;
}

export interface PlainDelete {
  readonly kind: "delete";
  readonly key: Buffer;
}

/** What a message has that is one of these requests. */
export type PlainRequest = PlainSet | PlainGet | PlainDelete;

/** One of a stream: a PipeRequest. */
export interface PlainPiped {
  readonly id: number;
  readonly request: PlainRequest;
}

/** Field number and wire type, which fit into one byte here. */
const tags = {
  id: 0x08,
  get: 0x12,
  set: 0x1a,
  delete: 0x22,
  key: 0x0a,
  value: 0x12,
  serializable: 0x10,
} as const;

const nothing = Buffer.alloc(0);

/** Where reading stands, so that reading a number can give both it and where it ends. */
interface Cursor {
  at: number;
}

/** Undefined if the PipeRequest has anything unusual. Key and value are views of it. */
export function readPlainPiped(message: Buffer): PlainPiped | undefined {
  const cursor = { at: 0 };
  let id = 0;
  let kind: PlainRequest["kind"] | undefined;
  let start = 0;
  let end = 0;
  while (cursor.at < message.length) {
    const tag = message[cursor.at++];
    const number = readNumber(message, cursor);
    if (number === undefined || tag === undefined) return undefined;
    if (tag === tags.id) {
      id = number;
    } else if (kind === undefined && (tag === tags.set || tag === tags.get || tag === tags.delete)) {
      kind = tag === tags.set ? "set" : tag === tags.get ? "get" : "delete";
      start = cursor.at;
      cursor.at += number;
      end = cursor.at;
    } else {
      return undefined;
    }
  }
  if (cursor.at !== message.length || kind === undefined) return undefined;
  const request = readPlainRequest(message.subarray(start, end), kind);
  return request && { id, request };
}

/** Undefined if the SetRequest, GetRequest or DeleteRequest has anything unusual. Key and value are views of it. */
export function readPlainRequest(bytes: Buffer, kind: PlainRequest["kind"]): PlainRequest | undefined {
  const cursor = { at: 0 };
  let key: Buffer = nothing;
  let value: Buffer = nothing;
  let isSerializable = false;
  while (cursor.at < bytes.length) {
    const tag = bytes[cursor.at++];
    const number = readNumber(bytes, cursor);
    if (number === undefined) return undefined;
    // A key told twice is not plain: that of them which does not count has to be UTF-8 as well.
    if (tag === tags.key && key.length === 0) {
      key = take(bytes, cursor, number);
    } else if (tag === tags.value && kind === "set") {
      value = take(bytes, cursor, number);
    } else if (tag === tags.serializable && kind === "get") {
      isSerializable = number !== 0;
    } else {
      return undefined;
    }
  }
  if (cursor.at !== bytes.length || !isUtf8(key)) return undefined;
  switch (kind) {
    case "set":
      return { kind, key, value };
    case "get":
      return { kind, key, isSerializable };
    case "delete":
      return { kind, key };
  }
}

/** What is wrong with a request that could be read; undefined if nothing is. */
export function faultOf(request: PlainRequest, maxRequestBytes: number): DkvError | undefined {
  if (request.key.length === 0) return new DkvError("emptyKey", "key is empty: a key has at least one byte");
  const bytes = request.key.length + (request.kind === "set" ? request.value.length : 0);
  return bytes > maxRequestBytes ? requestTooLarge(maxRequestBytes) : undefined;
}

/** May end beyond the end; whoever reads to the end sees it there. */
function take(bytes: Buffer, cursor: Cursor, length: number): Buffer {
  const start = cursor.at;
  cursor.at += length;
  return bytes.subarray(start, cursor.at);
}

/** A varint of at most 2^53; undefined for any other. */
function readNumber(bytes: Buffer, cursor: Cursor): number | undefined {
  let number = 0;
  let unit = 1;
  for (let at = cursor.at; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    number += (byte & 0x7f) * unit;
    if (byte < 0x80) {
      cursor.at = at + 1;
      return number <= Number.MAX_SAFE_INTEGER ? number : undefined;
    }
    unit *= 0x80;
    if (at - cursor.at >= 8) return undefined;
  }
  return undefined;
}

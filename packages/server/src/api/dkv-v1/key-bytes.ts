/** The keys of dkv.v1 are text; those of the store are bytes. Here one becomes the other. */
import { isUtf8 } from "node:buffer";
import type { KeyInterval } from "@dkv/protocol/dkv/v1/dkv";
import { behindPrefix, fromByteString, type Interval, intervalOf, toByteString } from "@dkv/store";
import { DkvError } from "../../platform/errors.ts";

/** An interval as operations of the store name it. */
export interface KeyRange {
  readonly key: Uint8Array;
  /** Empty: the one key. A zero byte: all from that key on. Else the first key that is not meant. */
  readonly rangeEnd: Uint8Array;
}

const nothing = new Uint8Array();
/** No key is before this one. */
const firstKey = Uint8Array.of(0);
/** As the end of a range. */
const openEnd = Uint8Array.of(0);

/** Throws a DkvError if that is no key. */
export function keyBytes(key: string): Uint8Array {
  if (key === "") throw new DkvError("emptyKey", "key is empty: a key has at least one byte");
  return textBytes(key);
}

/** Throws a DkvError if that is no interval, or one without any key. */
export function keyRange(interval: KeyInterval | undefined): KeyRange {
  const keys = interval?.keys ?? { case: undefined };
  switch (keys.case) {
    case "key":
      return { key: keyBytes(keys.value), rangeEnd: nothing };
    case "prefix":
      return prefixRange(textBytes(keys.value));
    case "bounds":
      return boundedRange(textBytes(keys.value.from), textBytes(keys.value.before));
    case undefined:
      throw invalid('keys is not set: name a key, a prefix, or bounds; the prefix "" means all keys');
  }
}

/** As {@link keyRange}, for what asks the store in another way. */
export function keyInterval(interval: KeyInterval | undefined): Interval {
  const { key, rangeEnd } = keyRange(interval);
  return intervalOf(key, rangeEnd);
}

/** The fields of a message that name a key: text if it is any. */
export function keyFields(key: Uint8Array): { readonly key: string } | { readonly rawKey: Uint8Array } {
  return isUtf8(key) ? { key: Buffer.from(key).toString() } : { rawKey: Uint8Array.from(key) };
}

function prefixRange(prefix: Uint8Array): KeyRange {
  if (prefix.length === 0) return { key: firstKey, rangeEnd: openEnd };
  const behind = behindPrefix(toByteString(prefix));
  return { key: prefix, rangeEnd: behind === undefined ? openEnd : fromByteString(behind) };
}

function boundedRange(from: Uint8Array, before: Uint8Array): KeyRange {
  const key = from.length === 0 ? firstKey : from;
  if (before.length === 0) return { key, rangeEnd: openEnd };
  if (Buffer.compare(key, before) >= 0)
    throw invalid("bounds have no key between them: before is not behind from");
  return { key, rangeEnd: before };
}

function textBytes(text: string): Uint8Array {
  if (!text.isWellFormed()) throw invalid("key is not valid Unicode");
  return Buffer.from(text);
}

function invalid(message: string): DkvError {
  return new DkvError("invalidRequest", message);
}

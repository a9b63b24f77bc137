/** Reads the first keys of an interval, and nothing of those behind them: a page of many keys costs a page. */
import { create } from "@bufbuild/protobuf";
import { RangeOperationSchema } from "@dkv/protocol/dkv/peer/v1/command";
import { assert } from "../assert.ts";
import type { RangeOperation } from "../operation.ts";
import type { StateScanner } from "../storage.ts";
import { type Found, keyValueOf } from "./found.ts";
import type { Moment } from "./moment.ts";
import { isSorted, type Query, takesFirst } from "./query.ts";
import { keysAt, type Ranged, withoutValue, withValues } from "./range.ts";

/** Beside the limit of the operation, which asks for keys in their own order. */
export interface PageBounds {
  /** Of keys and values. A page has one key in any case. */
  readonly maxBytes: number;
}

/** Values fetched at first, when nothing is known of how large they are, and at most. */
const firstSliceKeys = 16;
const maxSliceKeys = 1000;

/** Asks whether there is any key, at a revision. */
export const firstKeyAt = (revision: number): RangeOperation =>
  create(RangeOperationSchema, {
    key: Uint8Array.of(0),
    rangeEnd: Uint8Array.of(0),
    limit: 1n,
    revision: BigInt(revision),
    keysOnly: true,
  });

/** As `readRange`; the count is that of the keys found. */
export async function readPage(moment: Moment, query: Query, { maxBytes }: PageBounds): Promise<Ranged> {
  assert(takesFirst(query) && !isSorted(query), "the keys of a page come in their order");
  const first = await firstKeys(moment, query, maxBytes);
  const most = first.slice(0, query.limit);
  const taken = query.keysOnly
    ? fitting(most, maxBytes)
    : await fittingWithValues(moment.scanner, most, maxBytes);
  const found = query.keysOnly
    ? taken.map(withoutValue)
    : taken.map(({ key, facts, value }) => keyValueOf(key, facts, value ?? ""));
  return { found, hasMore: taken.length < first.length, count: taken.length };
}

/** One more than the page may have, if there are so many; fewer if they are too large already. */
async function firstKeys(moment: Moment, query: Query, maxBytes: number): Promise<readonly Found[]> {
  const first: Found[] = [];
  let bytes = 0;
  for await (const batch of keysAt(moment, query)) {
    for (const found of batch) {
      first.push(found);
      bytes += bytesOf(found);
      if (first.length > query.limit || (bytes > maxBytes && first.length > 1)) return first;
    }
  }
  return first;
}

/** The first ones with their values, as far as they fit, and one in any case. */
export async function fittingWithValues(
  scanner: StateScanner,
  list: readonly Found[],
  maxBytes: number,
): Promise<readonly Found[]> {
  const taken: Found[] = [];
  let bytes = 0;
  for (let size = firstSliceKeys; taken.length < list.length && (taken.length === 0 || bytes < maxBytes); ) {
    const slice = await withValues(scanner, list.slice(taken.length, taken.length + size));
    taken.push(...slice);
    for (const found of slice) bytes += bytesOf(found);
    // As many as would fit if they were like those before.
    const left = ((maxBytes - bytes) / bytes) * taken.length;
    size = Math.max(1, Math.min(maxSliceKeys, Math.ceil(left)));
  }
  return fitting(taken, maxBytes);
}

/** The first ones, as far as they fit. */
function fitting(list: readonly Found[], maxBytes: number): readonly Found[] {
  let bytes = 0;
  const end = list.findIndex((found) => {
    bytes += bytesOf(found);
    return bytes > maxBytes;
  });
  return end === -1 ? list : list.slice(0, Math.max(1, end));
}

/** Of key and value. */
export const bytesOf = ({ key, value }: Found): number => key.length + (value?.length ?? 0);

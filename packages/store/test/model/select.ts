/** The model's reading: which keys there are, and which of them a range wants. */
import { type RangeOperation, RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import { type ByteString, fromByteString, toByteString } from "../../src/bytes.ts";
import type { KeyValue, RangeResult } from "../../src/results.ts";
import type { Version } from "../../src/version.ts";

/** What keys are at one moment. */
export type Keys = ReadonlyMap<ByteString, Version>;

export type Row = readonly [ByteString, Version];

/** Keys of an interval, in the order of their bytes. */
export function rowsOf(keys: Keys, key: Uint8Array, rangeEnd: Uint8Array): readonly Row[] {
  const [from, end] = [toByteString(key), toByteString(rangeEnd)];
  const isWithin = (one: ByteString): boolean =>
    end === "" ? one === from : end === "\0" ? one >= from : one >= from && one < end;
  return [...keys].filter(([one]) => isWithin(one)).sort(([a], [b]) => order(a, b));
}

export function keyValue([key, version]: Row, isBlank = false): KeyValue {
  return {
    key: fromByteString(key),
    value: fromByteString(isBlank ? "" : version.value),
    createRevision: version.createRevision,
    modRevision: version.modRevision,
    version: version.version,
    lease: version.lease,
  };
}

export function select(
  keys: Keys,
  operation: RangeOperation,
): Pick<RangeResult, "found" | "hasMore" | "count"> {
  const all = rowsOf(keys, operation.key, operation.rangeEnd);
  if (operation.countOnly) return { found: [], hasMore: false, count: all.length };
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = operation;
  const kept = all.filter(
    ([, { modRevision, createRevision }]) =>
      isBetween(modRevision, minModRevision, maxModRevision) &&
      isBetween(createRevision, minCreateRevision, maxCreateRevision),
  );
  const isFiltered = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(
    (one) => one > 0n,
  );
  const limit = operation.limit > 0n ? Number(operation.limit) : kept.length;
  // A quirk of etcd: without an order the limit comes before the target, but for one key more.
  const isCutFirst = operation.order === RangeOrder.UNSPECIFIED && !isFiltered;
  const rows = sorted(isCutFirst ? kept.slice(0, limit + 1) : kept, operation).slice(0, limit);
  return {
    found: rows.map((row) => keyValue(row, operation.keysOnly)),
    hasMore: kept.length > limit,
    count: all.length,
  };
}

const isBetween = (revision: number, least: bigint, most: bigint): boolean =>
  BigInt(revision) >= least && (most === 0n || BigInt(revision) <= most);

/** Those that are alike stay in the order of their keys. */
function sorted(rows: readonly Row[], operation: RangeOperation): readonly Row[] {
  const by = ([key, version]: Row): string | number => {
    switch (operation.target) {
      case RangeTarget.VERSION:
        return version.version;
      case RangeTarget.CREATE_REVISION:
        return version.createRevision;
      case RangeTarget.MOD_REVISION:
        return version.modRevision;
      case RangeTarget.VALUE:
        return version.value;
      default:
        return key;
    }
  };
  const ascending = (a: Row, b: Row): number => order(by(a), by(b));
  return rows.toSorted(operation.order === RangeOrder.DESCENDING ? (a, b) => ascending(b, a) : ascending);
}

const order = <Value extends string | number>(a: Value, b: Value): number => (a < b ? -1 : a > b ? 1 : 0);

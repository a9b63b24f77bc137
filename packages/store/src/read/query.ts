import { type RangeOperation, RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import { type Interval, intervalOf } from "./interval.ts";

/** What somebody wants to know of the keys of an interval. */
export interface Query {
  readonly interval: Interval;
  /** Infinity for none. */
  readonly limit: number;
  /** 0 for the current one. */
  readonly revision: number;
  readonly order: RangeOrder;
  readonly target: RangeTarget;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Revisions at which keys were last set, and created; both ends are within. */
  readonly modRevisions: Bounds;
  readonly createRevisions: Bounds;
}

interface Bounds {
  readonly least: number;
  readonly most: number;
}

export function queryOf(operation: RangeOperation): Query {
  const { key, rangeEnd, limit, revision, order, target, keysOnly, countOnly } = operation;
  return {
    interval: intervalOf(key, rangeEnd),
    limit: limit > 0n ? Number(limit) : Number.POSITIVE_INFINITY,
    revision: revision > 0n ? Number(revision) : 0,
    order,
    target,
    keysOnly,
    countOnly,
    modRevisions: bounds(operation.minModRevision, operation.maxModRevision),
    createRevisions: bounds(operation.minCreateRevision, operation.maxCreateRevision),
  };
}

const bounds = (least: bigint, most: bigint): Bounds => ({
  least: Number(least),
  most: most === 0n ? Number.POSITIVE_INFINITY : Number(most),
});

/** Whether the first keys are the answer, so that those behind the limit need only be counted. */
export const takesFirst = (query: Query): boolean =>
  !isBounded(query.modRevisions) &&
  !isBounded(query.createRevisions) &&
  (query.order === RangeOrder.UNSPECIFIED ||
    (query.order === RangeOrder.ASCENDING && query.target === RangeTarget.UNSPECIFIED));

/** Whether keys have to be put in another order than their own. */
export const isSorted = ({ order, target }: Query): boolean =>
  order === RangeOrder.DESCENDING || target !== RangeTarget.UNSPECIFIED;

const isBounded = ({ least, most }: Bounds): boolean => least !== 0 || most !== Number.POSITIVE_INFINITY;

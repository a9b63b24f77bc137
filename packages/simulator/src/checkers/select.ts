/** Which keys an interval has, and in which order they are answered. */
import { RangeOrder, RangeTarget } from "@dkv/protocol/dkv/peer/v1/command";
import type { KeyValue } from "@dkv/store";
import type { TrueVersion } from "./true-state.ts";

export interface Select {
  readonly order?: RangeOrder;
  readonly target?: RangeTarget;
}

interface Wanted extends Select {
  readonly key: string;
  /** Empty: the one key. A zero byte: all from that key on. */
  readonly rangeEnd: string;
}

export type Row = readonly [key: string, version: TrueVersion];

export function isIn(key: string, { key: from, rangeEnd }: Pick<Wanted, "key" | "rangeEnd">): boolean {
  if (rangeEnd === "") return key === from;
  return key >= from && (rangeEnd === "\0" || key < rangeEnd);
}

export function select(keys: ReadonlyMap<string, TrueVersion>, wanted: Wanted): readonly Row[] {
  const { order = RangeOrder.UNSPECIFIED, target = RangeTarget.UNSPECIFIED } = wanted;
  const rows = [...keys].filter(([key]) => isIn(key, wanted)).sort(([a], [b]) => (a < b ? -1 : 1));
  const sign = order === RangeOrder.DESCENDING ? -1 : 1;
  return rows.sort((a, b) => sign * compared(a, b, target));
}

/** Of equal ones, sorting keeps the order. */
function compared([keyA, a]: Row, [keyB, b]: Row, target: RangeTarget): number {
  switch (target) {
    case RangeTarget.VERSION:
      return a.version - b.version;
    case RangeTarget.CREATE_REVISION:
      return a.createRevision - b.createRevision;
    case RangeTarget.MOD_REVISION:
      return a.modRevision - b.modRevision;
    case RangeTarget.VALUE:
      return a.value === b.value ? 0 : a.value < b.value ? -1 : 1;
    default:
      return keyA === keyB ? 0 : keyA < keyB ? -1 : 1;
  }
}

export function toKeyValue([key, { value, ...facts }]: Row): KeyValue {
  return { key: Buffer.from(key, "latin1"), value: Buffer.from(value, "latin1"), ...facts };
}

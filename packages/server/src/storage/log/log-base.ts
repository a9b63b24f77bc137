import type { ConfigurationAt, EntryId } from "@dkv/raft";
import { chainStart } from "./record.ts";

/**
 * Where the log begins: all before it was dropped, because the state has it.
 *
 *   0000000007.log            0000000008.log
 *   │hdr│ 90‥117 │ 118‥130 │  │hdr│ 131‥140 │ …
 *    dropped                   ▲ base: segment 8, its first record, and entry 130
 */
export interface LogBase {
  /** The entry before the first one of the log. */
  readonly last: EntryId;
  /** In force there. */
  readonly configuration: ConfigurationAt;
  /** Number of the first segment. */
  readonly segment: number;
  /** Number of its first record. */
  readonly record: number;
  /** The checksum that this record continues. */
  readonly chain: number;
}

/** Of a log that goes on from `last`, and whose first segment is the first one. */
export function freshBase(last: EntryId, configuration: ConfigurationAt): LogBase {
  return { last, configuration, segment: 1, record: 1, chain: chainStart };
}

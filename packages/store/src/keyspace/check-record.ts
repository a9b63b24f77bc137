import { decodeAlarms } from "../alarms.ts";
import { decodeAuth } from "../auth/auth-record.ts";
import { decodeChange } from "./change-record.ts";
import { decodeCompaction } from "./compaction-record.ts";
import { decodeCurrent } from "./current-record.ts";
import { decodeIndex } from "./index-record.ts";
import { checkAttachment, decodeLease } from "./lease-records.ts";
import { decodePosition } from "./position-record.ts";
import { prefixes } from "./prefixes.ts";
import { DamagedRecordError } from "./record.ts";

/** What a record of the store is for: the name of its table. */
export type RecordKind = keyof typeof prefixes;

const checks: Readonly<Record<RecordKind, (key: Uint8Array, record: Uint8Array) => unknown>> = {
  position: single((record) => decodePosition(record)),
  change: decodeChange,
  index: decodeIndex,
  lease: decodeLease,
  attachment: checkAttachment,
  alarms: single((record) => decodeAlarms(record)),
  compaction: single((record) => decodeCompaction(record)),
  auth: single((record) => decodeAuth(record)),
  current: decodeCurrent,
};

const kinds = new Map<number, RecordKind>(
  (Object.keys(prefixes) as RecordKind[]).map((kind) => [prefixes[kind], kind]),
);

/**
 * Looks at a record as it stands in the database. Throws {@link DamagedRecordError} if it is not what was
 * written, or of a kind that this version does not know.
 */
export function checkRecord(key: Uint8Array, record: Uint8Array): RecordKind {
  const kind = kinds.get(key[0] ?? 0);
  if (kind === undefined)
    throw new DamagedRecordError("a stored record of the store is of a kind that this version does not know");
  checks[kind](key, record);
  return kind;
}

/** Of a table with one record, whose key is its first byte. */
function single(decode: (record: Uint8Array) => unknown) {
  return (key: Uint8Array, record: Uint8Array): unknown => {
    if (key.length === 1) return decode(record);
    throw new DamagedRecordError("a stored record of the store has a key that none has");
  };
}

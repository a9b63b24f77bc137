import { decodeAlarms } from "./alarms.ts";
import { alarmsKey, checkVersion, decodePosition, positionKey } from "./keyspace.ts";

/** What a record of the store is for: where it stands, alarms about members, or the current version of a key. */
export type RecordKind = "position" | "alarms" | "key";

/**
 * Looks at a record as it stands in the database. Throws {@link DamagedRecordError} if it is not what was
 * written, or of a kind that this version does not know.
 */
export function checkRecord(key: Uint8Array, record: Uint8Array): RecordKind {
  if (Buffer.compare(key, positionKey) === 0) {
    decodePosition(record);
    return "position";
  }
  if (Buffer.compare(key, alarmsKey) === 0) {
    decodeAlarms(record);
    return "alarms";
  }
  checkVersion(key, record);
  return "key";
}

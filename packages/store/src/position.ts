import { decodePosition, type Position, positionKey } from "./keyspace.ts";
import type { StateReader } from "./storage.ts";

/** As etcd: an empty store is at revision 1, and the first change makes 2. */
const empty: Position = { appliedIndex: 0, appliedTerm: 0, revision: 1 };

/** Where the durable state stands. Throws {@link DamagedRecordError} if its record was changed. */
export function readPosition(reader: StateReader): Position {
  const record = reader.get(positionKey);
  return record === undefined ? empty : decodePosition(record);
}

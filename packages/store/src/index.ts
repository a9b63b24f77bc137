export { readAlarms } from "./alarms.ts";
export type { Alarm } from "./alarms.ts";
export { etcdPermission } from "./auth/auth-entries.ts";
export {
  type AuthState,
  type Caller,
  noRules,
  type Origin,
  type Permission,
  type Role,
  rootName,
  type User,
} from "./auth/auth-state.ts";
export { authRefusal, isRoot, type Need, permits } from "./auth/permissions.ts";
export { type ByteString, fromByteString, toByteString } from "./bytes.ts";
export { commandId, decodeCommand, encodeCommand, isCommand } from "./command.ts";
export type { CommandId, DecodedCommand } from "./command.ts";
export { countBytes, readCount, writeCount } from "./count.ts";
export { etcdEntriesOf, type EtcdEntry } from "./history/etcd-entries.ts";
export { checkRecord } from "./keyspace/check-record.ts";
export type { RecordKind } from "./keyspace/check-record.ts";
export type { Compaction } from "./keyspace/compaction-record.ts";
export type { Lease } from "./keyspace/lease-records.ts";
export {
  decodePosition,
  encodePosition,
  type Position,
  positionKey,
  readPosition,
} from "./keyspace/position-record.ts";
export { DamagedRecordError } from "./keyspace/record.ts";
export type { AuthCommand, LoggedOperation, Operation, RangeOperation } from "./operation.ts";
export { behindPrefix, everyKey, type Interval, intervalOf, isWithin, onlyKey } from "./read/interval.ts";
export { plainSet, plainSetIf } from "./plain-set.ts";
export type { PageBounds } from "./read/page.ts";
export type * from "./results.ts";
export type { KeyRange, RecordChange, StateReader, StateScanner, StoredRecord } from "./storage.ts";
export type { ApplyContext } from "./execute.ts";
export type { EntryPlace } from "./state.ts";
export { type Applied, Store, type StoreOptions } from "./store.ts";
export { checkTxn, type TxnFault, type TxnLimits } from "./txn/check.ts";
export type { Prepared } from "./txn/prepare.ts";
export {
  type Change,
  type Facts,
  type LeaseId,
  type Made,
  noLease,
  type Place,
  placeOf,
  type Version,
} from "./version.ts";

export { readAlarms } from "./alarms.ts";
export type { Alarm } from "./alarms.ts";
export { commandId, decodeCommand, encodeCommand, isCommand } from "./command.ts";
export type { CommandId } from "./command.ts";
export { countBytes, readCount, writeCount } from "./count.ts";
export { DamagedRecordError, decodePosition, encodePosition, positionKey } from "./keyspace.ts";
export type { Position } from "./keyspace.ts";
export type { LoggedOperation, Operation } from "./operation.ts";
export { readPosition } from "./position.ts";
export { checkRecord } from "./record.ts";
export type { RecordKind } from "./record.ts";
export type {
  AlarmResult,
  ApplyResult,
  CheckResult,
  DeleteResult,
  KeyValue,
  Revision,
  SetResult,
} from "./results.ts";
export type { Change, StateReader } from "./storage.ts";
export { Store } from "./store.ts";
export type { Applied, StoreOptions } from "./store.ts";

export { ForgottenPromise, InvariantViolation } from "./assert.ts";
export type { RaftConfig } from "./config.ts";
export {
  formatEntries,
  formatEntryId,
  formatHardState,
  formatMessage,
  formatNode,
  formatSpeaker,
  formatState,
  formatTrace,
} from "./format.ts";
export { checkState, checkStep, type Observation } from "./invariants.ts";
export type { ProposeResult } from "./leader.ts";
export type { TransferResult } from "./leadership-transfer.ts";
export type { LogReader } from "./log-reader.ts";
export type * from "./messages.ts";
export {
  type FollowerStatus,
  type NodeStatus,
  RaftNode,
  type ReadIndexResult,
  type StateMachine,
} from "./node.ts";
export type { PersistBatch, ReadState, Ready, SoftState } from "./ready.ts";
export type { ReplicationState } from "./tracker/progress.ts";
export type { TraceEvent } from "./trace.ts";
export type {
  Configuration,
  Entry,
  EntryId,
  EntryKind,
  HardState,
  LogIndex,
  NodeId,
  ReadContext,
  RoleName,
  Term,
} from "./types.ts";
export { logIndex, noEntry, nodeId, readContext, term } from "./types.ts";

export { ForgottenPromise, InvariantViolation } from "./assert.ts";
export type { RaftConfig } from "./config.ts";
export type { MemberChange } from "./configuration/change.ts";
export { decodeConfiguration, encodeConfiguration } from "./configuration/codec.ts";
export {
  type Configuration,
  type ConfigurationAt,
  initialConfiguration,
  isJoint,
  isVoter,
  membersOf,
  noMembers,
} from "./configuration/configuration.ts";
export { ConfigurationHistory } from "./configuration/history.ts";
export {
  formatConfiguration,
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
export type { Snapshot } from "./log.ts";
export type { LogReader } from "./log-reader.ts";
export type * from "./messages.ts";
export {
  type FollowerStatus,
  type NodeStatus,
  RaftNode,
  type ReadIndexResult,
  type ReceivedSnapshot,
  type StateMachine,
} from "./node.ts";
export type { Restored } from "./raft.ts";
export { jointVote } from "./quorum/joint.ts";
export { majoritySize } from "./quorum/majority.ts";
export type { PersistBatch, ReadState, Ready, SoftState } from "./ready.ts";
export type { ReconfigurationResult } from "./reconfiguration.ts";
export type { ReplicationState } from "./tracker/progress.ts";
export type { TraceEvent } from "./trace.ts";
export type {
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
export { indexAfter, logIndex, minIndex, nextTerm, noEntry, nodeId, readContext, term } from "./types.ts";

export type { LogReader } from "./log-reader.ts";
export type * from "./messages.ts";
export type { PersistBatch, ReadState, Ready, SoftState } from "./ready.ts";
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

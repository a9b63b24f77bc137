export type { Operation } from "./operation.ts";
export type { ApplyResult, DeleteResult, KeyValue, Revision, SetResult } from "./results.ts";
export type { Change, StateReader } from "./storage.ts";

export type { Auth, AuthStatus, Permission, PermissionKind } from "./auth.ts";
export { DkvClient } from "./client.ts";
export { defaultPort, parseEndpoints } from "./endpoints.ts";
export { type ConnectCode, DkvClientError, type ErrorCode, type Retry } from "./errors.ts";
export type {
  CompactResult,
  DeleteResult,
  GetResult,
  Keys,
  KeyValue,
  LeaseRef,
  Page,
  SetResult,
  WatchBatch,
  WatchEvent,
} from "./keys.ts";
export type { Lease } from "./lease.ts";
export type { GrantResult, KeepAliveResult, LeaseInfo, LeasesResult, RevokeResult } from "./leases.ts";
export type { Leadership, Lock } from "./lock.ts";
export type * from "./options.ts";
export type { Pipe } from "./pipe.ts";
export type {
  ChangeResult,
  CheckResult,
  Header,
  Member,
  MemberCheck,
  MembersResult,
  MemberStatus,
  StatusReport,
} from "./results.ts";
export type { TlsOptions } from "./tls.ts";
export {
  type Compare,
  compare,
  type Comparison,
  type Comparisons,
  op,
  type Txn,
  type TxnOperation,
  type TxnOperationResult,
  type TxnResult,
} from "./txn.ts";
export type { Watch } from "./watch.ts";

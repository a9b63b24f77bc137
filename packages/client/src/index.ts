export {
  type BackupOptions,
  type CallOptions,
  DkvClient,
  type DkvClientOptions,
  type GetOptions,
} from "./client.ts";
export { defaultPort, parseEndpoints } from "./endpoints.ts";
export { type ConnectCode, DkvClientError, type ErrorCode, type Retry } from "./errors.ts";
export type {
  ChangeResult,
  CheckResult,
  DeleteResult,
  GetResult,
  Header,
  Member,
  MemberCheck,
  MembersResult,
  SetResult,
} from "./results.ts";
export type { TlsOptions } from "./tls.ts";

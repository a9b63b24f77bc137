export { type CallOptions, DkvClient, type DkvClientOptions, type GetOptions } from "./client.ts";
export { defaultPort, parseEndpoints } from "./endpoints.ts";
export { type ConnectCode, DkvClientError, type ErrorCode, type Retry } from "./errors.ts";
export type { DeleteResult, GetResult, Header, Member, MembersResult, SetResult } from "./results.ts";
export type { TlsOptions } from "./tls.ts";

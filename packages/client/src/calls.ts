/**
 * The calls that one member serves. Everything that knows protobuf and Connect is behind this file, which
 * is imported when the first call is made: loading it is most of what it takes to start a client.
 */
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { DkvAPI, LeaseAPI, MembershipAPI } from "@dkv/protocol/dkv/v1/dkv";
import { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";

import type { Connection } from "./connection.ts";
import { formatEndpoint } from "./endpoints.ts";
import type { User } from "./options.ts";
import { type Ask, type CallLimits, createAsk } from "./wire/ask.ts";
import { type AuthCalls, createAuthCalls } from "./wire/auth-calls.ts";
import { createKeyCalls, type KeyCalls } from "./wire/key-calls.ts";
import { createLeaseCalls, type LeaseCalls } from "./wire/lease-calls.ts";
import { createMemberCalls, type MaintenanceCalls } from "./wire/member-calls.ts";

export type { CallLimits };

/**
 * All throw DkvClientError for what the member or the connection says, and the signal's reason once that is
 * aborted.
 */
export interface MemberCalls extends KeyCalls, LeaseCalls, MaintenanceCalls, AuthCalls {}

/** The longest answer that is read. A member's own limit for requests is far below it. */
const readMaxBytes = 64 << 20;

/** @param user on whose behalf everything is asked */
export function createCalls(connection: Connection, user: User | undefined): MemberCalls {
  const transport: Transport = createGrpcTransport({
    baseUrl: connection.authority,
    sessionManager: connection,
    acceptCompression: [],
    readMaxBytes,
    interceptors: user === undefined ? [] : [withUser(user)],
  });
  const ask: Ask = createAsk(formatEndpoint(connection.endpoint));
  return {
    ...createKeyCalls(createClient(DkvAPI, transport), ask),
    ...createAuthCalls(async () => {
      // Few ask for it, and it is the half of all that would be loaded.
      const { Auth } = await import("@dkv/protocol/etcdserverpb/rpc");
      return createClient(Auth, transport);
    }, ask),
    ...createLeaseCalls(createClient(LeaseAPI, transport), ask),
    ...createMemberCalls(
      createClient(MembershipAPI, transport),
      createClient(MaintenanceAPI, transport),
      ask,
    ),
  };
}

/**
 * A token would end, or be another member's. A member that has found name and password to be right remembers
 * that.
 */
function withUser({ name, password }: User): Interceptor {
  const credentials = Buffer.from(`${name}:${password}`).toString("base64");
  return (next) => (request) => {
    request.header.set("authorization", `Basic ${credentials}`);
    return next(request);
  };
}

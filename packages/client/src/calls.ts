/**
 * The calls that one member serves. Everything that knows protobuf and Connect is behind this file, which
 * is imported when the first call is made: loading it is most of what it takes to start a client.
 */
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  DkvAPI,
  ErrorDetailSchema,
  MembershipAPI,
  Retry as WireRetry,
  type ResponseHeader,
} from "@dkv/protocol/dkv/v1/dkv";
import { MaintenanceAPI } from "@dkv/protocol/dkv/v1/maintenance";

import { type BackupPieces, beginBackup } from "./backup.ts";
import { type Connection, NotSent } from "./connection.ts";
import { formatEndpoint } from "./endpoints.ts";
import { DkvClientError, type ErrorCode, type Retry, serverCodes } from "./errors.ts";
import type { MembershipChange } from "./membership.ts";
import { readCheck, readFound, readHeader, readMember } from "./messages.ts";
import type {
  ChangeResult,
  CheckResult,
  DeleteResult,
  GetResult,
  MembersResult,
  SetResult,
} from "./results.ts";

/** How long the caller waits. */
export interface CallLimits {
  /** Aborted when the caller stops waiting. */
  readonly signal: AbortSignal;
  /** Told to the member, which gives up by itself then and says what it knows. */
  readonly timeoutMs: number;
}

/**
 * All throw DkvClientError for what the member or the connection says, and the signal's reason once that is
 * aborted.
 */
export interface MemberCalls {
  /** Undefined if there is no such key. */
  get(
    request: { readonly key: string; readonly serializable: boolean },
    limits: CallLimits,
  ): Promise<GetResult | undefined>;
  set(request: { readonly key: string; readonly value: Uint8Array }, limits: CallLimits): Promise<SetResult>;
  delete(request: { readonly key: string }, limits: CallLimits): Promise<DeleteResult>;
  members(limits: CallLimits): Promise<MembersResult>;
  changeMembership(change: MembershipChange, limits: CallLimits): Promise<ChangeResult>;
  check(limits: CallLimits): Promise<CheckResult>;
  /** Resolves once the first piece is here; the limits count no longer then. */
  backup(request: { readonly serializable: boolean }, limits: CallLimits): Promise<BackupPieces>;
}

/** The longest answer that is read. A member's own limit for requests is far below it. */
const readMaxBytes = 64 << 20;

export function createCalls(connection: Connection): MemberCalls {
  const transport = createGrpcTransport({
    baseUrl: connection.authority,
    sessionManager: connection,
    acceptCompression: [],
    readMaxBytes,
  });
  const kv = createClient(DkvAPI, transport);
  const membership = createClient(MembershipAPI, transport);
  const maintenance = createClient(MaintenanceAPI, transport);

  const explain = (error: unknown): DkvClientError => translate(error, formatEndpoint(connection.endpoint));

  async function ask<Answer>(
    limits: CallLimits,
    send: (options: CallOptions) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      // Not Connect's own timeoutMs: it would end the call here at the moment at which the member ends it
      // there, and the member's answer is the better one.
      return await send({
        signal: limits.signal,
        headers: { "grpc-timeout": `${Math.max(1, Math.floor(limits.timeoutMs))}m` },
      });
    } catch (error) {
      limits.signal.throwIfAborted();
      throw explain(error);
    }
  }

  return {
    async get(request, limits) {
      try {
        return readFound(await ask(limits, async (options) => kv.get({ ...request }, options)));
      } catch (error) {
        if (error instanceof DkvClientError && error.code === "key_not_found") return undefined;
        throw error;
      }
    },
    async set(request, limits) {
      const { header } = await ask(limits, async (options) => kv.set({ ...request }, options));
      return { header: readHeader(header) };
    },
    async delete(request, limits) {
      const { deleted, header } = await ask(limits, async (options) => kv.delete({ ...request }, options));
      return { deleted, header: readHeader(header) };
    },
    async members(limits) {
      const { servers, header } = await ask(limits, async (options) => membership.getServers({}, options));
      return { members: servers.map(readMember), header: readHeader(header) };
    },
    async changeMembership(change, limits) {
      const { header } = await ask(limits, async (options) => sendChange(membership, change, options));
      return { header: readHeader(header) };
    },
    async check(limits) {
      return readCheck(await ask(limits, async (options) => maintenance.check({}, options)));
    },
    async backup(request, limits) {
      const open = (signal: AbortSignal) => maintenance.snapshot({ ...request }, { signal });
      return beginBackup(open, limits.signal, explain);
    },
  };
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
}

async function sendChange(
  membership: Client<typeof MembershipAPI>,
  change: MembershipChange,
  options: CallOptions,
): Promise<{ readonly header?: ResponseHeader | undefined }> {
  switch (change.kind) {
    case "join":
      return membership.joinServer({ id: change.id, address: change.address }, options);
    case "leave":
      return membership.leaveServer({ id: change.id }, options);
    case "promote":
      return membership.promoteServer({ id: change.id }, options);
    case "replace":
      return membership.replaceServer(
        { oldId: change.oldId, id: change.id, address: change.address },
        options,
      );
    case "update":
      return membership.updateServer({ id: change.id, address: change.address }, options);
    case "moveLeader":
      return membership.moveLeader({ id: change.id }, options);
  }
}

const retryFromWire: ReadonlyMap<WireRetry, Retry> = new Map([
  [WireRetry.NOT_APPLIED, "notApplied"],
  [WireRetry.NEVER, "never"],
]);

interface Verdict {
  readonly code: ErrorCode;
  readonly retry: Retry;
}

const connectionLost: Verdict = { code: "connection_lost", retry: "outcomeUnknown" };

const codeByStatus: ReadonlyMap<Code, Verdict> = new Map<Code, Verdict>([
  [Code.NotFound, { code: "key_not_found", retry: "never" }],
  [Code.InvalidArgument, { code: "invalid_request", retry: "never" }],
  [Code.Unimplemented, { code: "unimplemented", retry: "never" }],
  [Code.PermissionDenied, { code: "permission_denied", retry: "never" }],
  [Code.Unauthenticated, { code: "permission_denied", retry: "never" }],
  [Code.DeadlineExceeded, { code: "deadline_exceeded", retry: "outcomeUnknown" }],
  // How Connect names a connection that breaks: nobody cancelled, and this client's own signal is looked at
  // before.
  [Code.Aborted, connectionLost],
  [Code.Canceled, connectionLost],
  [Code.Unavailable, connectionLost],
]);

function translate(reason: unknown, endpoint: string): DkvClientError {
  const error = ConnectError.from(reason);
  const [detail] = error.findDetails(ErrorDetailSchema);
  if (detail !== undefined) {
    const code = serverCodes.find((known) => known === detail.code) ?? "unknown";
    // What a member leaves open counts as the worst case.
    return new DkvClientError(
      { code, retry: retryFromWire.get(detail.retry) ?? "outcomeUnknown" },
      error.rawMessage,
      { cause: error },
    );
  }
  if (error.cause instanceof NotSent || isRefusedStream(error)) {
    return new DkvClientError(
      { code: "connection_lost", retry: "notApplied" },
      `${endpoint} took no more requests`,
      { cause: error },
    );
  }
  const status = isOfTheWire(error)
    ? connectionLost
    : (codeByStatus.get(error.code) ?? { code: "unknown", retry: "outcomeUnknown" });
  const message =
    status.code === "connection_lost"
      ? `the connection to ${endpoint} broke before it answered`
      : `${endpoint} answered: ${error.rawMessage}`;
  return new DkvClientError(status, message, { cause: error });
}

/** Made here by Node's HTTP/2, not sent by a member. */
function isOfTheWire({ cause }: ConnectError): boolean {
  return cause instanceof Error && "code" in cause && String(cause.code).startsWith("ERR_HTTP2_");
}

/**
 * A member that stops refuses streams it has not looked at; HTTP/2 promises that they had no effect (RFC 9113
 * §8.7).
 */
function isRefusedStream(error: ConnectError): boolean {
  return isOfTheWire(error) && error.rawMessage.includes("REFUSED_STREAM");
}

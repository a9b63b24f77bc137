/**
 * The calls that one member serves. Everything that knows protobuf and Connect is behind this file, which
 * is imported when the first call is made: loading it is most of what it takes to start a client.
 */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  DkvAPI,
  ErrorDetailSchema,
  MembershipAPI,
  Retry as WireRetry,
  type ResponseHeader,
  ResponseHeaderSchema,
} from "@dkv/protocol/dkv/v1/dkv";

import { type Connection, NotSent } from "./connection.ts";
import { formatEndpoint } from "./endpoints.ts";
import { DkvClientError, type ErrorCode, type Retry, serverCodes } from "./errors.ts";
import type { DeleteResult, GetResult, Header, MembersResult, SetResult } from "./results.ts";

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
      throw translate(error, formatEndpoint(connection.endpoint));
    }
  }

  return {
    async get(request, limits) {
      try {
        const { value, createRevision, modRevision, version, header } = await ask(limits, async (options) =>
          kv.get({ ...request }, options),
        );
        return {
          value,
          createRevision: count(createRevision),
          modRevision: count(modRevision),
          version: count(version),
          header: readHeader(header),
        };
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
      const members = servers.map(({ id, raftAddress, rpcAddress, isLeader, isReachable, memberId }) => ({
        id,
        raftAddress,
        rpcAddress: rpcAddress === "" ? undefined : rpcAddress,
        isLeader,
        isReachable,
        memberId,
      }));
      return { members, header: readHeader(header) };
    },
  };
}

interface CallOptions {
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
}

function readHeader(header: ResponseHeader = create(ResponseHeaderSchema)): Header {
  return {
    clusterId: header.clusterId,
    memberId: header.memberId,
    leader: header.leader === "" ? undefined : header.leader,
    term: count(header.term),
    appliedIndex: count(header.appliedIndex),
    revision: count(header.revision),
  };
}

function count(wire: bigint): number {
  const value = Number(wire);
  if (!Number.isSafeInteger(value)) {
    throw new DkvClientError(
      { code: "unknown", retry: "outcomeUnknown" },
      `a member sent ${wire} where a count below 2^53 belongs`,
    );
  }
  return value;
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

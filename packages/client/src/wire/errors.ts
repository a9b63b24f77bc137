/** From errors of Connect, and of a pipe's operations, to those of this client. */
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type ErrorDetail,
  ErrorDetailSchema,
  type PipeError,
  Retry as WireRetry,
} from "@dkv/protocol/dkv/v1/dkv";

import { NotSent } from "../connection.ts";
import { DkvClientError, type ErrorCode, type Retry, serverCodes } from "../errors.ts";
import { verdictOfText } from "./etcd-errors.ts";

const retryFromWire: ReadonlyMap<WireRetry, Retry> = new Map([
  [WireRetry.NOT_APPLIED, "notApplied"],
  [WireRetry.NEVER, "never"],
]);

interface Verdict {
  readonly code: ErrorCode;
  readonly retry: Retry;
  readonly compactRevision?: number | undefined;
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

/** @param endpoint whose words they are */
export function translate(reason: unknown, endpoint: string): DkvClientError {
  const error = ConnectError.from(reason);
  const [detail] = error.findDetails(ErrorDetailSchema);
  if (detail !== undefined) return new DkvClientError(verdictOf(detail), error.rawMessage, { cause: error });
  const ofEtcd = verdictOfText(error.rawMessage);
  if (ofEtcd !== undefined) return new DkvClientError(ofEtcd, wordsOf(error.rawMessage), { cause: error });
  if (error.cause instanceof NotSent || isRefusedStream(error)) {
    return new DkvClientError(
      { code: "connection_lost", retry: "notApplied" },
      `${endpoint} took no more requests`,
      { cause: error },
    );
  }
  if (isUnserializable(error)) {
    const why = error.rawMessage.slice(unserializable.length);
    return new DkvClientError(
      { code: "invalid_request", retry: "never" },
      `this is no request that can be sent: ${why}`,
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

/** Where dkv answers it is no use to name etcd. */
const wordsOf = (text: string): string => text.slice("etcdserver: ".length);

/** How Connect begins to say that a request makes no message. */
const unserializable = "serialize binary: ";

/** Made here, of a request that was not sent. What a member says comes with its headers. */
function isUnserializable({ code, rawMessage, metadata }: ConnectError): boolean {
  return (
    code === Code.Internal && rawMessage.startsWith(unserializable) && metadata.keys().next().done === true
  );
}

/** Made here, by Node, and not sent by a member. */
function isOfTheWire({ cause }: ConnectError): boolean {
  if (!(cause instanceof Error) || !("code" in cause)) return false;
  return cause.code === "ERR_STREAM_PREMATURE_CLOSE" || String(cause.code).startsWith("ERR_HTTP2_");
}

/**
 * A member that stops refuses streams it has not looked at; HTTP/2 promises that they had no effect (RFC 9113
 * §8.7).
 */
function isRefusedStream(error: ConnectError): boolean {
  return isOfTheWire(error) && error.rawMessage.includes("REFUSED_STREAM");
}

/** Why one operation of a pipe failed. */
export function translatePiped({ status, message, detail }: PipeError): DkvClientError {
  const verdict = detail === undefined ? codeByStatus.get(status) : verdictOf(detail);
  return new DkvClientError(verdict ?? { code: "unknown", retry: "outcomeUnknown" }, message);
}

/** What a member leaves open counts as the worst case. */
function verdictOf({ code, retry, compactRevision }: ErrorDetail): Verdict {
  return {
    code: serverCodes.find((known) => known === code) ?? "unknown",
    retry: retryFromWire.get(retry) ?? "outcomeUnknown",
    compactRevision: compactRevision === 0n ? undefined : Number(compactRevision),
  };
}

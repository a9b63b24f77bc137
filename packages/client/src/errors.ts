/** What can go wrong between a program and a cluster, and what is known about the request then. */

/**
 * `notApplied`: it took no effect and may be repeated. `outcomeUnknown`: it may have taken effect, or
 * may still. `never`: it took no effect and never will as it stands.
 */
export type Retry = "notApplied" | "outcomeUnknown" | "never";

/** Refusals that a member sends, by the names they have on the wire. */
export const serverCodes = [
  "empty_key",
  "request_too_large",
  "key_not_found",
  "invalid_request",
  "precondition_failed",
  "duplicate_key",
  "compacted",
  "future_revision",
  "lease_not_found",
  "lease_exists",
  "user_empty",
  "user_not_found",
  "user_exists",
  "role_empty",
  "role_not_found",
  "role_exists",
  "role_not_granted",
  "permission_not_given",
  "permission_not_granted",
  "permission_denied",
  "root_user_missing",
  "root_role_missing",
  "invalid_auth_management",
  "auth_not_enabled",
  "auth_failed",
  "invalid_auth_token",
  "auth_revision_old",
  "unimplemented",
  "unknown_member",
  "member_exists",
  "quorum_at_risk",
  "not_voter",
  "not_caught_up",
  "not_answering",
  "change_in_progress",
  "no_leader",
  "not_leader",
  "overloaded",
  "disk_full",
  "no_space",
  "stopping",
  "corrupt",
  "read_timeout",
  "write_timeout",
  "outcome_unknown",
  "canceled",
] as const;

/** Reasons why a connection to a member could not be made. Nothing was sent. */
export const connectCodes = [
  "connection_refused",
  "host_not_found",
  "no_answer",
  "not_dkv",
  "server_speaks_tls",
  "server_speaks_cleartext",
  "unknown_ca",
  "wrong_name",
  "certificate_not_valid",
  "client_certificate_required",
  "client_certificate_refused",
  "tls_failure",
] as const;

export type ConnectCode = (typeof connectCodes)[number];

export type ErrorCode =
  | (typeof serverCodes)[number]
  | ConnectCode
  /** Several endpoints failed for different reasons; the message lists them. */
  | "unreachable"
  /** The connection broke while the request was under way. */
  | "connection_lost"
  | "deadline_exceeded"
  | "bad_configuration"
  | "permission_denied"
  | "closed"
  /** A lease, and with it a lock or a leadership, is gone or cannot be told from one that is. */
  | "lease_lost"
  /** A member, perhaps a newer one, gave a reason that this client has no name for. */
  | "unknown";

/** A failed operation. The message is one line that says what happened and, where it can, what to do. */
export class DkvClientError extends Error {
  override readonly name = "DkvClientError";
  readonly code: ErrorCode;
  readonly retry: Retry;
  /** With the code `compacted`: the oldest revision that can be read and watched, if the member said it. */
  readonly compactRevision: number | undefined;

  constructor(
    what: {
      readonly code: ErrorCode;
      readonly retry: Retry;
      readonly compactRevision?: number | undefined;
    },
    message: string,
    options?: ErrorOptions,
  ) {
    super(oneLine(message), options);
    this.code = what.code;
    this.retry = what.retry;
    this.compactRevision = what.compactRevision;
  }
}

const configurationError = { code: "bad_configuration", retry: "never" } as const;

/** An endpoint, file or limit that cannot work, whatever the cluster does. */
export function badConfiguration(message: string, options?: ErrorOptions): DkvClientError {
  return new DkvClientError(configurationError, message, options);
}

export function isConnectCode(code: ErrorCode): code is ConnectCode {
  return (connectCodes as readonly string[]).includes(code);
}

/** Texts come from other machines too: control characters would let them draw on a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

/** The one place where dkv's errors become those of the protocols that clients speak. */
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, Retry } from "@dkv/protocol/dkv/v1/dkv";
import type { Logger } from "pino";
import type { Member } from "../consensus/member.ts";
import { DkvError, type ErrorCode, type Retry as RetryLabel } from "../platform/errors.ts";

/** Which status a client sees for each refusal. */
export const connectCodes: Readonly<Record<ErrorCode, Code>> = {
  emptyKey: Code.InvalidArgument,
  requestTooLarge: Code.InvalidArgument,
  invalidRequest: Code.InvalidArgument,
  preconditionFailed: Code.FailedPrecondition,
  duplicateKey: Code.InvalidArgument,
  compacted: Code.OutOfRange,
  futureRevision: Code.OutOfRange,
  leaseNotFound: Code.NotFound,
  leaseExists: Code.AlreadyExists,
  keyNotFound: Code.NotFound,
  userEmpty: Code.Unauthenticated,
  authFailed: Code.Unauthenticated,
  invalidAuthToken: Code.Unauthenticated,
  authRevisionOld: Code.Aborted,
  permissionDenied: Code.PermissionDenied,
  userNotFound: Code.NotFound,
  roleNotFound: Code.NotFound,
  userExists: Code.AlreadyExists,
  roleExists: Code.AlreadyExists,
  roleEmpty: Code.InvalidArgument,
  permissionNotGiven: Code.InvalidArgument,
  roleNotGranted: Code.FailedPrecondition,
  permissionNotGranted: Code.FailedPrecondition,
  rootUserMissing: Code.FailedPrecondition,
  rootRoleMissing: Code.FailedPrecondition,
  invalidAuthManagement: Code.FailedPrecondition,
  authNotEnabled: Code.FailedPrecondition,
  unimplemented: Code.Unimplemented,
  unknownMember: Code.NotFound,
  memberExists: Code.AlreadyExists,
  quorumAtRisk: Code.FailedPrecondition,
  notVoter: Code.FailedPrecondition,
  notCaughtUp: Code.FailedPrecondition,
  notAnswering: Code.FailedPrecondition,
  noLeader: Code.Unavailable,
  notLeader: Code.Unavailable,
  stopping: Code.Unavailable,
  changeInProgress: Code.Unavailable,
  outcomeUnknown: Code.Unavailable,
  overloaded: Code.ResourceExhausted,
  diskFull: Code.ResourceExhausted,
  noSpace: Code.ResourceExhausted,
  readTimeout: Code.DeadlineExceeded,
  writeTimeout: Code.DeadlineExceeded,
  corrupt: Code.DataLoss,
  canceled: Code.Canceled,
};

const retries: Readonly<Record<RetryLabel, Retry>> = {
  notApplied: Retry.NOT_APPLIED,
  outcomeUnknown: Retry.OUTCOME_UNKNOWN,
  never: Retry.NEVER,
};

/** Turns whatever a call threw into what its client is told. */
export type ErrorTranslator = (error: unknown) => ConnectError;

interface Deps {
  readonly member: Pick<Member, "status">;
  readonly logger: Logger;
}

/**
 * Returns the translator for one member. A DkvError keeps its text and carries an ErrorDetail; an error
 * that Connect raised passes unchanged; anything else is a fault of ours, is logged, and tells the client
 * nothing about our insides.
 */
export function createErrorTranslator({ member, logger }: Deps): ErrorTranslator {
  return (error) => {
    if (error instanceof DkvError) return fromDkvError(error, member.status().leader);
    if (error instanceof ConnectError) return error;
    logger.error({ err: error }, "a request failed for a reason that dkv does not know");
    return new ConnectError("internal error: the log of this member says more", Code.Internal);
  };
}

function fromDkvError(error: DkvError, leader: string): ConnectError {
  const detail = {
    code: snakeCase(error.code),
    retry: retries[error.retry],
    leader,
    compactRevision: BigInt(error.compactRevision ?? 0),
  };
  return new ConnectError(
    error.message,
    connectCodes[error.code],
    undefined,
    [{ desc: ErrorDetailSchema, value: detail }],
    error,
  );
}

function snakeCase(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

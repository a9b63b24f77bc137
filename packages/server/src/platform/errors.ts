/**
 * Every way in which the world, not the program, can refuse a request.
 *
 * Programming errors are assertions and end the process; outcomes that every member reproduces are
 * results of the store. What is left is listed here, once. The api folder maps it to status codes.
 */

/**
 * What is known about the request: `notApplied` may be repeated freely, `outcomeUnknown` may have
 * taken effect or may still, `never` cannot succeed as it stands.
 */
export type Retry = "notApplied" | "outcomeUnknown" | "never";

const catalogue = {
  emptyKey: "never",
  requestTooLarge: "never",
  keyNotFound: "never",
  invalidRequest: "never",
  preconditionFailed: "never",
  duplicateKey: "never",
  compacted: "never",
  futureRevision: "never",
  leaseNotFound: "never",
  leaseExists: "never",
  userEmpty: "never",
  userNotFound: "never",
  userExists: "never",
  roleEmpty: "never",
  roleNotFound: "never",
  roleExists: "never",
  roleNotGranted: "never",
  permissionNotGiven: "never",
  permissionNotGranted: "never",
  permissionDenied: "never",
  rootUserMissing: "never",
  rootRoleMissing: "never",
  invalidAuthManagement: "never",
  authNotEnabled: "never",
  authFailed: "never",
  invalidAuthToken: "never",
  unimplemented: "never",
  unknownMember: "never",
  memberExists: "never",
  quorumAtRisk: "never",
  notVoter: "never",
  authRevisionOld: "notApplied",
  noLeader: "notApplied",
  notLeader: "notApplied",
  overloaded: "notApplied",
  diskFull: "notApplied",
  noSpace: "notApplied",
  stopping: "notApplied",
  corrupt: "notApplied",
  readTimeout: "notApplied",
  changeInProgress: "notApplied",
  notCaughtUp: "notApplied",
  notAnswering: "notApplied",
  canceled: "outcomeUnknown",
  outcomeUnknown: "outcomeUnknown",
  writeTimeout: "outcomeUnknown",
} as const satisfies Record<string, Retry>;

export type ErrorCode = keyof typeof catalogue;

/** All codes, for tables and their tests. */
export const errorCodes = Object.keys(catalogue) as readonly ErrorCode[];

/** A refused request. The message says what happened and what to do, for the person who reads it. */
export class DkvError extends Error {
  override readonly name = "DkvError";
  readonly code: ErrorCode;
  readonly retry: Retry;
  /** With the code `compacted`: the oldest revision that can be read. */
  readonly compactRevision: number | undefined;

  constructor(code: ErrorCode, message: string, options: DkvErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.retry = catalogue[code];
    this.compactRevision = options.compactRevision;
  }
}

interface DkvErrorOptions extends ErrorOptions {
  readonly compactRevision?: number;
}

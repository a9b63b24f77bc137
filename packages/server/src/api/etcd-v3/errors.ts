/**
 * What clients of etcd are told of errors: codes, and the very texts of etcd, for that is what clients go by.
 * A DkvError whose text says more than etcd has a name for keeps its text.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { DkvError, type ErrorCode } from "../../platform/errors.ts";
import type { ErrorTranslator } from "../errors.ts";

const catalogue = {
  emptyKey: [Code.InvalidArgument, "etcdserver: key is not provided"],
  keyNotFound: [Code.InvalidArgument, "etcdserver: key not found"],
  valueProvided: [Code.InvalidArgument, "etcdserver: value is provided"],
  leaseProvided: [Code.InvalidArgument, "etcdserver: lease is provided"],
  tooManyOps: [Code.InvalidArgument, "etcdserver: too many operations in txn request"],
  duplicateKey: [Code.InvalidArgument, "etcdserver: duplicate key given in txn request"],
  invalidSortOption: [Code.InvalidArgument, "etcdserver: invalid sort option"],
  memberBadUrls: [Code.InvalidArgument, "etcdserver: given member URLs are invalid"],
  requestTooLarge: [Code.InvalidArgument, "etcdserver: request is too large"],
  wrongDowngradeVersionFormat: [Code.InvalidArgument, "etcdserver: wrong downgrade target version format"],
  invalidDowngradeTarget: [Code.InvalidArgument, "etcdserver: invalid downgrade target version"],
  compacted: [Code.OutOfRange, "etcdserver: mvcc: required revision has been compacted"],
  futureRevision: [Code.OutOfRange, "etcdserver: mvcc: required revision is a future revision"],
  leaseTtlTooLarge: [Code.OutOfRange, "etcdserver: too large lease TTL"],
  noSpace: [Code.ResourceExhausted, "etcdserver: mvcc: database space exceeded"],
  tooManyRequests: [Code.ResourceExhausted, "etcdserver: too many requests"],
  leaseNotFound: [Code.NotFound, "etcdserver: requested lease not found"],
  memberNotFound: [Code.NotFound, "etcdserver: member not found"],
  leaseExists: [Code.FailedPrecondition, "etcdserver: lease already exists"],
  memberExists: [Code.FailedPrecondition, "etcdserver: member ID already exist"],
  peerUrlExists: [Code.FailedPrecondition, "etcdserver: Peer URLs already exists"],
  notEnoughStarted: [
    Code.FailedPrecondition,
    "etcdserver: re-configuration failed due to not enough started members",
  ],
  notLearner: [Code.FailedPrecondition, "etcdserver: can only promote a learner member"],
  learnerNotReady: [
    Code.FailedPrecondition,
    "etcdserver: can only promote a learner member which is in sync with leader",
  ],
  tooManyLearners: [Code.FailedPrecondition, "etcdserver: too many learner members in cluster"],
  notLeader: [Code.FailedPrecondition, "etcdserver: not leader"],
  badLeaderTransferee: [Code.FailedPrecondition, "etcdserver: bad leader transferee"],
  noInflightDowngrade: [Code.FailedPrecondition, "etcdserver: no inflight downgrade job"],
  corrupt: [Code.DataLoss, "etcdserver: corrupt cluster"],
  noLeader: [Code.Unavailable, "etcdserver: no leader"],
  leaderChanged: [Code.Unavailable, "etcdserver: leader changed"],
  stopped: [Code.Unavailable, "etcdserver: server stopped"],
  timeout: [Code.Unavailable, "etcdserver: request timed out"],
  unhealthy: [Code.Unavailable, "etcdserver: unhealthy cluster"],
  canceled: [Code.Canceled, "etcdserver: request canceled"],
  userEmpty: [Code.InvalidArgument, "etcdserver: user name is empty"],
  userNotFound: [Code.FailedPrecondition, "etcdserver: user name not found"],
  userExists: [Code.FailedPrecondition, "etcdserver: user name already exists"],
  roleEmpty: [Code.InvalidArgument, "etcdserver: role name is empty"],
  roleNotFound: [Code.FailedPrecondition, "etcdserver: role name not found"],
  roleExists: [Code.FailedPrecondition, "etcdserver: role name already exists"],
  roleNotGranted: [Code.FailedPrecondition, "etcdserver: role is not granted to the user"],
  permissionNotGiven: [Code.InvalidArgument, "etcdserver: permission not given"],
  permissionNotGranted: [Code.FailedPrecondition, "etcdserver: permission is not granted to the role"],
  permissionDenied: [Code.PermissionDenied, "etcdserver: permission denied"],
  rootUserMissing: [Code.FailedPrecondition, "etcdserver: root user does not exist"],
  rootRoleMissing: [Code.FailedPrecondition, "etcdserver: root user does not have root role"],
  invalidAuthManagement: [Code.InvalidArgument, "etcdserver: invalid auth management"],
  authNotEnabled: [Code.FailedPrecondition, "etcdserver: authentication is not enabled"],
  authFailed: [Code.InvalidArgument, "etcdserver: authentication failed, invalid user ID or password"],
  invalidAuthToken: [Code.Unauthenticated, "etcdserver: invalid auth token"],
  authRevisionOld: [Code.InvalidArgument, "etcdserver: revision of auth store is old"],
} as const satisfies Record<string, readonly [Code, string]>;

export type EtcdErrorName = keyof typeof catalogue;

/** The text alone, for answers that carry it as a field. */
export const etcdErrorText = (name: EtcdErrorName): string => catalogue[name][1];

export function etcdError(name: EtcdErrorName): ConnectError {
  const [code, text] = catalogue[name];
  return new ConnectError(text, code);
}

/** Of a message that gRPC does not read: what every server in Go says. */
export const tooLargeForGrpc = (bytes: number, maxBytes: number): ConnectError =>
  new ConnectError(
    `grpc: received message larger than max (${String(bytes)} vs. ${String(maxBytes)})`,
    Code.ResourceExhausted,
  );

/** What each of dkv's refusals is called by etcd; a code alone: etcd has no name for it. */
const names: Readonly<Record<ErrorCode, EtcdErrorName | Code>> = {
  emptyKey: "emptyKey",
  requestTooLarge: "requestTooLarge",
  keyNotFound: "keyNotFound",
  invalidRequest: Code.InvalidArgument,
  preconditionFailed: Code.FailedPrecondition,
  duplicateKey: "duplicateKey",
  compacted: "compacted",
  futureRevision: "futureRevision",
  leaseNotFound: "leaseNotFound",
  leaseExists: "leaseExists",
  userEmpty: "userEmpty",
  userNotFound: "userNotFound",
  userExists: "userExists",
  roleEmpty: "roleEmpty",
  roleNotFound: "roleNotFound",
  roleExists: "roleExists",
  roleNotGranted: "roleNotGranted",
  permissionNotGiven: "permissionNotGiven",
  permissionNotGranted: "permissionNotGranted",
  permissionDenied: "permissionDenied",
  rootUserMissing: "rootUserMissing",
  rootRoleMissing: "rootRoleMissing",
  invalidAuthManagement: "invalidAuthManagement",
  authNotEnabled: "authNotEnabled",
  authFailed: "authFailed",
  invalidAuthToken: "invalidAuthToken",
  authRevisionOld: "authRevisionOld",
  unimplemented: Code.Unimplemented,
  unknownMember: "memberNotFound",
  memberExists: "peerUrlExists",
  quorumAtRisk: "notEnoughStarted",
  notVoter: "badLeaderTransferee",
  noLeader: "noLeader",
  // It means whoever was asked within the cluster: the client may ask again, anybody.
  notLeader: "leaderChanged",
  overloaded: "tooManyRequests",
  diskFull: "noSpace",
  noSpace: "noSpace",
  stopping: "stopped",
  corrupt: "corrupt",
  readTimeout: "timeout",
  changeInProgress: "unhealthy",
  notCaughtUp: "learnerNotReady",
  notAnswering: "timeout",
  canceled: "canceled",
  outcomeUnknown: "timeout",
  writeTimeout: "timeout",
};

/** @param others translates what is no refusal of dkv's */
export function createEtcdTranslator(others: ErrorTranslator): ErrorTranslator {
  return (error) => {
    if (!(error instanceof DkvError)) return others(error);
    const name = names[error.code];
    return typeof name === "string" ? etcdError(name) : new ConnectError(error.message, name);
  };
}
